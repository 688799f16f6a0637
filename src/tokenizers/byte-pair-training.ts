import { BYTE_ORDER } from './byte-alphabet.js';
import { Heap } from './heap.js';

/** Two neighbouring ids, and the id of both together. */
export interface Merge {
  readonly left: number;
  readonly right: number;
}

interface Pair extends Merge {
  readonly count: number;
}

/** A piece of text as ids, and how often it stands in the text. */
interface Piece {
  ids: number[];
  readonly count: number;
}

/** A pair as one number, exact for ids below 2^26. */
export const pairKey = (left: number, right: number): number => left * 0x4000000 + right;

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) over bytes: again and again the most frequent pair of
 * neighbours becomes one token. Merge m makes the id 256 + m. Of equally frequent pairs the one with the smaller ids is
 * taken, so that the result depends on the counts alone.
 *
 * Counts are kept up to date instead of counted anew: a merge visits only the pieces that have its pair, and changes
 * only the counts of the pairs beside it. The heap holds stale entries; one is put back with its present count when
 * it comes up.
 * @param pieces what may be merged inside, but not across, and how often each stands in the text; longer ones than
 * 1,000 bytes are learned from in parts, so that a text without white space takes no longer than another
 * @returns the merges in order, and how often each of the 256 + merges tokens stands in the pieces
 */
export function learnMerges(
  pieces: ReadonlyMap<string, number>,
  limits: { readonly vocabularySize: number; readonly minCount: number },
): { merges: Merge[]; counts: Int32Array } {
  const words = readPieces(pieces);
  const counts = new Map<number, number>();
  const homes = new Map<number, Set<number>>(); // pair → pieces that have, or once had, it
  words.forEach((word, home) => {
    for (let i = 0; i + 1 < word.ids.length; i++) {
      const key = pairKey(word.ids[i]!, word.ids[i + 1]!);
      counts.set(key, (counts.get(key) ?? 0) + word.count);
      addHome(homes, key, home);
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
    for (const home of homes.get(key)!)
      mergeInPiece(words[home]!, home, pair, id, { counts, homes, changed });
    counts.delete(key);
    homes.delete(key);
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

function addHome(homes: Map<number, Set<number>>, key: number, home: number): void {
  const set = homes.get(key);
  if (set) set.add(home);
  else homes.set(key, new Set([home]));
}

/** Replaces the pair in one piece, and takes its old pairs out of the counts and puts its new ones in. */
function mergeInPiece(
  piece: Piece,
  home: number,
  pair: Merge,
  id: number,
  index: { counts: Map<number, number>; homes: Map<number, Set<number>>; changed: Set<number> },
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
  const { counts, homes, changed } = index;
  for (let i = 0; i + 1 < ids.length; i++) {
    const key = pairKey(ids[i]!, ids[i + 1]!);
    counts.set(key, counts.get(key)! - count);
  }
  for (let i = 0; i + 1 < merged.length; i++) {
    const key = pairKey(merged[i]!, merged[i + 1]!);
    counts.set(key, (counts.get(key) ?? 0) + count);
    if (merged[i] === id || merged[i + 1] === id) {
      addHome(homes, key, home);
      changed.add(key);
    }
  }
  piece.ids = merged;
}
