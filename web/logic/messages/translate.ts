import type { en } from './en.js';

export type MessageKey = keyof typeof en;
/** All that the dashboard says, in one language. */
export type Catalogue = Readonly<Record<MessageKey, string>>;
export type MessageValues = Readonly<Record<string, string | number>>;

/** A message with its {names} filled in. */
export function fillMessage(message: string, values: MessageValues = {}): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
