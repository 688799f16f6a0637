import { signal } from '@preact/signals';
import { messageOf } from '../api/problem.js';

export interface Notice {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

export const notices = signal<readonly Notice[]>([]);

const SHOWN_MS = { done: 4000, failed: 10_000 } as const;
let nextId = 0;

export function notify(kind: Notice['kind'], text: string): void {
  const id = nextId++;
  notices.value = [...notices.value.slice(-3), { id, kind, text }];
  setTimeout(() => dismiss(id), SHOWN_MS[kind]);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Runs something that may fail, and says so if it does. @returns undefined when it failed */
export async function attempt<Result>(action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action();
  } catch (error) {
    notify('failed', messageOf(error));
    return undefined;
  }
}
