import { signal } from '@preact/signals';

const NAME = 'gatelm.key';

function saved(): string | null {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}

/**
 * The API key, where the server asks for one. It is kept for this tab alone, where only pages of this server can read it, and
 * goes into headers, never into an address.
 */
export const apiKey = signal<string | null>(saved());

/** Whether the server asked for a key, and the present one, if any, was not it. */
export const needsKey = signal(false);

export function setKey(key: string | null): void {
  apiKey.value = key;
  try {
    if (key === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    // It is kept in memory alone.
  }
}
