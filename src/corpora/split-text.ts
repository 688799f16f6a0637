/** Where a text that comes whole is cut into train, valid and test. Positions are bytes of its UTF-8. */
import { createHash } from 'node:crypto';
import type { SplitName } from '../contracts/corpus.js';
import type { PerSplit } from './corpus.js';

export interface SplitFractions {
  readonly valid: number;
  readonly test: number;
}

/** Bytes `start` to `end` (exclusive) of a text, and the split that they go to. */
export interface SplitRange {
  readonly split: SplitName;
  readonly start: number;
  readonly end: number;
}

/** A text in a file, or anything that parts can be read of. */
export interface TextParts {
  readonly bytes: number;
  /** Where each document ends, in rising order; the last one at the end. */
  readonly documentEnds: readonly number[];
  /** @returns the bytes from `start` on, `length` of them or up to the end */
  read(start: number, length: number): Promise<Uint8Array>;
}

/** Cuts a text at fractions of its characters (code points): train first, then valid, then test. */
export function cutByCharacters(text: string, fractions: SplitFractions): PerSplit<string> {
  const total = countCodePoints(text);
  const validStart = Math.floor(total * (1 - fractions.valid - fractions.test) + ROUNDING);
  const testStart = Math.floor(total * (1 - fractions.test) + ROUNDING);
  const first = codePointOffset(text, validStart, 0);
  const second = codePointOffset(text, testStart - validStart, first);
  return { train: text.slice(0, first), valid: text.slice(first, second), test: text.slice(second) };
}

/** 1 − 0.05 − 0.05 is a little less than 0.9. */
const ROUNDING = 1e-6;

/** How far after a fraction a line end is looked for, in bytes. */
const MAX_TAIL_WINDOW = 64 * 1024;

/** valid and test as the end of a text; neither is empty because no line ends in it. */
export async function cutTail(text: TextParts, { valid, test }: SplitFractions): Promise<SplitRange[]> {
  const { bytes } = text;
  const window = Math.min(MAX_TAIL_WINDOW, Math.max(4, Math.floor((bytes * Math.min(valid, test)) / 2)));
  const cut = async (target: number) => target + nextCut(await text.read(target, window));
  const first = Math.min(bytes, await cut(Math.floor(bytes * (1 - valid - test))));
  const second = Math.min(bytes, await cut(Math.max(first, Math.floor(bytes * (1 - test)))));
  return [
    { split: 'train', start: 0, end: first },
    { split: 'valid', start: first, end: second },
    { split: 'test', start: second, end: bytes },
  ];
}

/** Bytes of a block; small ones for small texts, so that there are several of each split. */
const [MIN_BLOCK, MAX_BLOCK] = [256, 16 * 1024];

/**
 * valid and test as blocks spread over a text. A document that is not larger than the smaller of the two is not cut; others
 * are, where a paragraph, a line, a sentence or a word ends. Which blocks go where depends on their number and the seed
 * alone: a text that grows at its end keeps them, as long as its blocks have the same size (256 bytes from 20 kB of text on,
 * 1, 4 and 16 KiB from 80, 330 and 1,300 kB on, with the default fractions). A smaller text is cut as {@link cutTail} does.
 */
export async function cutBlocks(
  text: TextParts,
  fractions: SplitFractions,
  seed: number,
): Promise<SplitRange[]> {
  const smallest = text.bytes * Math.min(fractions.valid, fractions.test);
  const size = Math.min(MAX_BLOCK, 4 ** Math.floor(Math.log2(smallest / 4) / 2));
  if (!(size >= MIN_BLOCK)) return cutTail(text, fractions);
  const assign = blockAssigner(fractions, seed);
  const ranges: SplitRange[] = [];
  for (let start = 0, index = 0; start < text.bytes; index++) {
    const end = await blockEnd(text, start, size, smallest);
    ranges.push({ split: assign(index), start, end });
    start = end;
  }
  return ranges;
}

async function blockEnd(text: TextParts, start: number, size: number, largest: number): Promise<number> {
  const target = start + size;
  if (target + size / 2 >= text.bytes) return text.bytes;
  const documentEnd = text.documentEnds[firstAtLeast(text.documentEnds, target)] ?? text.bytes;
  if (documentEnd - start <= largest) return documentEnd;
  return target + nextCut(await text.read(target, Math.min(size, documentEnd - target)));
}

/** Index of the first of rising numbers that is not smaller. */
function firstAtLeast(values: readonly number[], least: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Which split each block goes to. Blocks come in strata of as many as one block of the smaller fraction needs; within each,
 * the places of valid and test are drawn.
 */
export function blockAssigner({ valid, test }: SplitFractions, seed: number): (index: number) => SplitName {
  const length = Math.ceil(1 / Math.min(valid, test) - ROUNDING);
  let current = -1;
  let splits: SplitName[] = [];
  return (index) => {
    const stratum = Math.floor(index / length);
    if (stratum !== current) {
      current = stratum;
      splits = drawStratum(stratum, length, { valid, test }, seed);
    }
    return splits[index % length]!;
  };
}

function drawStratum(
  stratum: number,
  length: number,
  { valid, test }: SplitFractions,
  seed: number,
): SplitName[] {
  const places = Array.from({ length }, (_, place) => ({
    place,
    key: createHash('sha256').update(`${seed}/${stratum}/${place}`).digest('hex'),
  }));
  places.sort((a, b) => (a.key < b.key ? -1 : 1));
  const share = (fraction: number) =>
    Math.floor((stratum + 1) * fraction * length + ROUNDING) -
    Math.floor(stratum * fraction * length + ROUNDING);
  const [validCount, testCount] = [share(valid), share(test)];
  const splits = new Array<SplitName>(length).fill('train');
  places.slice(0, validCount).forEach(({ place }) => {
    splits[place] = 'valid';
  });
  places.slice(validCount, validCount + testCount).forEach(({ place }) => {
    splits[place] = 'test';
  });
  return splits;
}

/**
 * Where in UTF-8 bytes a text is best cut: after the first blank line; else after the first line; else after the first
 * sentence of a script without spaces, or the first white space; else before the next character.
 * @param window the bytes that may still belong to what comes before
 * @returns how many of them do
 */
export function nextCut(window: Uint8Array): number {
  const bytes = Buffer.from(window.buffer, window.byteOffset, window.byteLength);
  for (const end of ['\n\n', '\n\r\n', '\n', '。', ' ', '\u3000', '\t']) {
    const at = bytes.indexOf(end);
    if (at >= 0) return at + Buffer.byteLength(end);
  }
  let at = 0;
  while (at < bytes.length && (bytes[at]! & 0xc0) === 0x80) at++;
  return at;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  return count;
}

/** UTF-16 offset of the code point that is `count` after the one at `from`. */
function codePointOffset(text: string, count: number, from: number): number {
  let at = from;
  for (let i = 0; i < count; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}
