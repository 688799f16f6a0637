import type { QualityFigures, TextQuality } from '../contracts/sample-quality.js';
import { longestMatches } from './longest-matches.js';
import { runToEnd, type Stepwise } from './stepwise.js';

/** Minimum length of a passage that counts as copied from the training text: about eight words. */
export const COPIED_CHARACTERS = 40;
const NGRAM_LENGTHS = [1, 2, 3, 4] as const;

export interface QualityText {
  readonly ids: Int32Array;
  /** Length of the decoded text. */
  readonly characters: number;
}

/**
 * Measures the diversity of a text, and the share of it that is copied verbatim from the training text.
 * @param train token ids of the training text
 */
export function* measureQuality(
  { ids, characters }: QualityText,
  train: Int32Array,
): Stepwise<TextQuality, undefined> {
  const matches = yield* longestMatches(ids, train);
  const charactersPerToken = ids.length === 0 ? 1 : Math.max(characters / ids.length, Number.MIN_VALUE);
  const minLength = Math.max(1, Math.ceil(COPIED_CHARACTERS / charactersPerToken));
  return {
    tokens: ids.length,
    distinct: NGRAM_LENGTHS.map((length) => distinctShare(ids, length)),
    copiedShare: copiedShare(matches, minLength),
    longestCopy: matches.reduce((longest, match) => Math.max(longest, match), 0),
  };
}

/** {@link measureQuality} in short and at once, for the sample of an epoch. */
export function qualityFigures(text: QualityText, train: Int32Array): QualityFigures {
  const { distinct, copiedShare } = runToEnd(measureQuality(text, train));
  const [, pairs = null, , fours = null] = distinct;
  return { distinctPairs: pairs, repetition: fours === null ? null : 1 - fours, copiedShare };
}

/** Distinct n-grams divided by all n-grams (distinct-n, Li et al. 2016, arXiv 1510.03055); null without n-grams. */
export function distinctShare(ids: Int32Array, length: number): number | null {
  const count = ids.length - length + 1;
  if (count < 1) return null;
  const seen = new Set<string>();
  for (let start = 0; start < count; start++) seen.add(ids.subarray(start, start + length).join());
  return seen.size / count;
}

/** Share of the tokens that belong to a match of at least this length. */
function copiedShare(matches: Int32Array, minLength: number): number {
  let copied = 0;
  let coveredFrom = matches.length;
  for (let end = matches.length - 1; end >= 0; end--) {
    const match = matches[end]!;
    if (match >= minLength) coveredFrom = Math.min(coveredFrom, end - match + 1);
    if (end >= coveredFrom) copied += 1;
  }
  return matches.length === 0 ? 0 : copied / matches.length;
}
