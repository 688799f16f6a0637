import { createHash } from 'node:crypto';
import { bytesOfStates, disposeStates, type StreamStates, selectStreams } from '../models/state-rows.js';

/** Where a prompt was known up to. */
export interface KnownPrefix {
  /** Ids that need not be read again. */
  readonly length: number;
  /** What the model remembers after them; the caller's. */
  readonly state: StreamStates;
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
  readonly #states = new Map<string, StreamStates>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes 0 = none is kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The longest known beginning; null when there is none. */
  find(keys: readonly PrefixKey[]): KnownPrefix | null {
    for (const { length, key } of keys.toReversed()) {
      const state = this.#states.get(key);
      if (!state) continue;
      this.#states.delete(key);
      this.#states.set(key, state); // the last one of the map is the most recently used
      return { length, state: copyOf(state) };
    }
    return null;
  }

  /** Keeps a copy. @param state of one stream */
  add(key: string, state: StreamStates): void {
    const bytes = bytesOfStates(state);
    if (bytes > this.#maxBytes || this.#states.has(key)) return;
    this.#states.set(key, copyOf(state));
    this.#bytes += bytes;
    for (const [oldest, old] of this.#states) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#states.delete(oldest);
      this.#bytes -= bytesOfStates(old);
      disposeStates(old);
    }
  }

  dispose(): void {
    for (const state of this.#states.values()) disposeStates(state);
    this.#states.clear();
    this.#bytes = 0;
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

function copyOf(state: StreamStates): StreamStates {
  return selectStreams(state, [0]);
}
