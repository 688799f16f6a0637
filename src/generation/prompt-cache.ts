import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { State } from '../models/state.js';

/** Where a prompt was known up to. */
export interface KnownPrefix {
  /** Ids that need not be read again. */
  readonly length: number;
  /** What the model remembers after them; the caller's. */
  readonly state: State;
}

/** Keys of one prompt: of its beginnings at every multiple of the block, and of the whole. */
export interface PrefixKey {
  readonly length: number;
  readonly key: string;
}

/**
 * What a model remembers after the beginnings of prompts that it has read, so that a repeated one costs nothing. A state is
 * a vector a layer, whatever the length. The least recently used goes first.
 */
export class PromptCache {
  /** null = none is kept */
  readonly #states: LRUCache<string, State> | null;

  /** @param maxBytes 0 = none is kept */
  constructor(maxBytes: number) {
    this.#states =
      maxBytes > 0
        ? new LRUCache({
            maxSize: maxBytes,
            sizeCalculation: ({ bytes }) => bytes,
            dispose: (state) => state.dispose(),
          })
        : null;
  }

  /** The longest known beginning; null when there is none. */
  find(keys: readonly PrefixKey[]): KnownPrefix | null {
    for (const { length, key } of keys.toReversed()) {
      const state = this.#states?.get(key);
      if (state) return { length, state: state.copy() };
    }
    return null;
  }

  /** Keeps a copy. @param state of one stream */
  add(key: string, state: State): void {
    if (!this.#states || state.bytes > this.#states.maxSize || this.#states.has(key)) return;
    this.#states.set(key, state.copy());
  }

  dispose(): void {
    this.#states?.clear();
  }
}

/** @param block ids between two beginnings @param most beginnings besides the whole */
export function prefixKeys(ids: Int32Array, block: number, most: number): PrefixKey[] {
  const hash = createHash('sha256');
  const keys: PrefixKey[] = [];
  for (let start = 0; start < ids.length; start += block) {
    const part = ids.subarray(start, start + block);
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    const length = start + part.length;
    if (keys.length < most || length === ids.length) keys.push({ length, key: hash.copy().digest('base64') });
  }
  return keys;
}
