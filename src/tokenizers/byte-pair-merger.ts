import { type Merge, pairKey } from './byte-pair-training.js';
import { Heap } from './heap.js';

/** A merge with its rank in training order and the id of its result. */
export interface RankedMerge extends Merge {
  readonly rank: number;
  readonly id: number;
}

interface Candidate {
  readonly merge: RankedMerge;
  /** Start of the left half, in bytes. */
  readonly at: number;
}

/** Applies merges to bytes in training order, in O(n log n) for n bytes. */
export class BytePairMerger {
  readonly #byteIds: Int32Array;
  readonly #merges: ReadonlyMap<number, RankedMerge>;
  readonly #cache = new Map<string, Int32Array>();

  /** @param byteIds id of each byte @param merges in training order, with the ids of their results */
  constructor(byteIds: Int32Array, merges: readonly RankedMerge[]) {
    this.#byteIds = byteIds;
    this.#merges = new Map(merges.map((merge) => [pairKey(merge.left, merge.right), merge]));
  }

  /** @returns ids of the piece; read-only */
  merge(piece: string): Int32Array {
    const known = this.#cache.get(piece);
    if (known) return known;
    const ids = this.#mergeBytes(Buffer.from(piece, 'utf8'));
    if (piece.length <= MAX_CACHED_LENGTH && this.#cache.size < MAX_CACHED_PIECES)
      this.#cache.set(piece, ids);
    return ids;
  }

  /** A doubly linked list of ids over byte positions; the heap gives the next pair to merge. */
  #mergeBytes(bytes: Uint8Array): Int32Array {
    const ids = Int32Array.from(bytes, (byte) => this.#byteIds[byte]!);
    const next = Int32Array.from(bytes, (_, i) => i + 1);
    const previous = Int32Array.from(bytes, (_, i) => i - 1);
    const heap = new Heap<Candidate>(isBefore);
    const offer = (at: number) => {
      if (at < 0 || next[at]! >= bytes.length) return;
      const merge = this.#merges.get(pairKey(ids[at]!, ids[next[at]!]!));
      if (merge) heap.push({ merge, at });
    };
    for (let at = 0; at + 1 < bytes.length; at++) offer(at);
    for (let candidate = heap.pop(); candidate; candidate = heap.pop()) {
      const { at, merge } = candidate;
      const right = next[at]!;
      const isStale = ids[at] !== merge.left || right >= bytes.length || ids[right] !== merge.right;
      if (isStale) continue;
      ids[at] = merge.id;
      ids[right] = GONE;
      next[at] = next[right]!;
      if (next[at]! < bytes.length) previous[next[at]!] = at;
      offer(previous[at]!);
      offer(at);
    }
    return ids.filter((id) => id !== GONE);
  }
}

const GONE = -1;
const MAX_CACHED_LENGTH = 64;
const MAX_CACHED_PIECES = 100_000;

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.merge.rank !== b.merge.rank ? a.merge.rank < b.merge.rank : a.at < b.at;
}
