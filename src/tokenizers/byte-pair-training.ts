import { BYTE_ORDER } from './byte-alphabet.js';
import { Heap } from './heap.js';

/** Two adjacent ids that are merged into one. */
export interface Merge {
  readonly left: number;
  readonly right: number;
}

interface Pair extends Merge {
  readonly count: number;
}

/** A piece of text as ids, with its frequency in the text. */
interface Piece {
  ids: number[];
  readonly count: number;
}

/** A unique number for a pair, exact for ids below 2^26. */
export const pairKey = (left: number, right: number): number => left * 0x4000000 + right;

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) over bytes: repeatedly replaces the most frequent pair of
 * adjacent tokens by one token. Merge m creates id 256 + m. Among equally frequent pairs the one with the smaller ids is
 * merged, so the result depends on the counts alone.
 *
 * Counts are updated instead of recounted: a merge visits only the pieces that contain its pair, and changes only the
 * counts of adjacent pairs. The heap may hold stale entries; a stale entry is pushed again with its current count when it
 * is popped.
 * @param pieces text between which nothing is merged, with its frequency; pieces longer than 1,000 bytes are split, so
 * that a text without white space takes no longer than any other
 * @returns the merges in order, and the frequency of each of the 256 + merges tokens in the pieces
 */
export function learnMerges(
  pieces: ReadonlyMap<string, number>,
  limits: { readonly vocabularySize: number; readonly minCount: number },
): { merges: Merge[]; counts: Int32Array } {
  const words = readPieces(pieces);
  const counts = new Map<number, number>();
  const piecesOf = new Map<number, Set<number>>(); // pair → pieces that have, or once had, it
  words.forEach((word, pieceIndex) => {
    for (let i = 0; i + 1 < word.ids.length; i++) {
      const key = pairKey(word.ids[i]!, word.ids[i + 1]!);
      counts.set(key, (counts.get(key) ?? 0) + word.count);
      addPiece(piecesOf, key, pieceIndex);
    }
  });

  const heap = new Heap<Pair>(isBefore);
  const offer = (key: number) => heap.push({ ...splitKey(key), count: counts.get(key)! });
  for (const key of counts.keys()) offer(key);

  const merges: Merge[] = [];
  while (256 + merges.length < limits.vocabularySize) {
    const pair = heap.pop();
    if (pair === undefined) break;
    const key = pairKey(pair.left, pair.right);
    const count = counts.get(key) ?? 0;
    if (count !== pair.count) {
      if (count > 0) offer(key);
      continue;
    }
    if (count < limits.minCount) break;
    const id = 256 + merges.push({ left: pair.left, right: pair.right }) - 1;
    const changed = new Set<number>();
    for (const pieceIndex of piecesOf.get(key)!)
      mergeInPiece(words[pieceIndex]!, pieceIndex, pair, id, { counts, piecesOf, changed });
    counts.delete(key);
    piecesOf.delete(key);
    for (const other of changed) if ((counts.get(other) ?? 0) > 0) offer(other);
  }
  return { merges, counts: countIds(words, 256 + merges.length) };
}

/** Ids of the bytes, in GPT-2's order. */
export const BYTE_IDS: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => BYTE_ORDER.indexOf(byte));

const PART_LENGTH = 1000;

function readPieces(pieces: ReadonlyMap<string, number>): Piece[] {
  const read: Piece[] = [];
  for (const [text, count] of pieces) {
    const ids = Array.from(Buffer.from(text, 'utf8'), (byte) => BYTE_IDS[byte]!);
    for (let start = 0; start < ids.length; start += PART_LENGTH) {
      read.push({ ids: ids.length > PART_LENGTH ? ids.slice(start, start + PART_LENGTH) : ids, count });
    }
  }
  return read;
}

function countIds(pieces: readonly Piece[], size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const { ids, count } of pieces) for (const id of ids) counts[id]! += count;
  return counts;
}

function isBefore(a: Pair, b: Pair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left !== b.left ? a.left < b.left : a.right < b.right;
}

function splitKey(key: number): Merge {
  return { left: Math.floor(key / 0x4000000), right: key % 0x4000000 };
}

function addPiece(piecesOf: Map<number, Set<number>>, key: number, pieceIndex: number): void {
  const set = piecesOf.get(key);
  if (set) set.add(pieceIndex);
  else piecesOf.set(key, new Set([pieceIndex]));
}

/** Replaces the pair in one piece, and updates the counts of the removed and the added pairs. */
function mergeInPiece(
  piece: Piece,
  pieceIndex: number,
  pair: Merge,
  id: number,
  index: { counts: Map<number, number>; piecesOf: Map<number, Set<number>>; changed: Set<number> },
): void {
  const { ids, count } = piece;
  const merged: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === pair.left && ids[i + 1] === pair.right) {
      merged.push(id);
      i++;
    } else merged.push(ids[i]!);
  }
  if (merged.length === ids.length) return;
  const { counts, piecesOf, changed } = index;
  for (let i = 0; i + 1 < ids.length; i++) {
    const key = pairKey(ids[i]!, ids[i + 1]!);
    counts.set(key, counts.get(key)! - count);
  }
  for (let i = 0; i + 1 < merged.length; i++) {
    const key = pairKey(merged[i]!, merged[i + 1]!);
    counts.set(key, (counts.get(key) ?? 0) + count);
    if (merged[i] === id || merged[i + 1] === id) {
      addPiece(piecesOf, key, pieceIndex);
      changed.add(key);
    }
  }
  piece.ids = merged;
}
