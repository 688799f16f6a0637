import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { State } from '../models/state.js';

/** A cached prefix of a prompt. */
export interface CachedPrefix {
  /** Number of ids that are already read. */
  readonly length: number;
  /** State of the model after them; owned by the caller. */
  readonly state: State;
}

/** Cache key of a prefix of a prompt: at every multiple of the block length, and of the whole prompt. */
export interface PrefixKey {
  readonly length: number;
  readonly key: string;
}

/**
 * Caches states of a model after prefixes of prompts, so that a repeated prefix need not be read again. A state is one vector
 * per layer, whatever the length. The least recently used state is evicted first.
 */
export class PromptCache {
  /** null = disabled */
  readonly #states: LRUCache<string, State> | null;

  /** @param maxBytes 0 = disabled */
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

  /** The longest cached prefix; null if there is none. */
  find(keys: readonly PrefixKey[]): CachedPrefix | null {
    for (const { length, key } of keys.toReversed()) {
      const state = this.#states?.get(key);
      if (state) return { length, state: state.copy() };
    }
    return null;
  }

  /** Stores a copy. @param state of one stream */
  add(key: string, state: State): void {
    if (!this.#states || state.bytes > this.#states.maxSize || this.#states.has(key)) return;
    this.#states.set(key, state.copy());
  }

  dispose(): void {
    this.#states?.clear();
  }
}

/** @param block ids between two prefixes @param maxPrefixes maximum prefixes in addition to the whole prompt */
export function prefixKeys(ids: Int32Array, block: number, maxPrefixes: number): PrefixKey[] {
  const hash = createHash('sha256');
  const keys: PrefixKey[] = [];
  for (let start = 0; start < ids.length; start += block) {
    const part = ids.subarray(start, start + block);
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    const length = start + part.length;
    if (keys.length < maxPrefixes || length === ids.length)
      keys.push({ length, key: hash.copy().digest('base64') });
  }
  return keys;
}
