import { toLowerCase } from './lower-case.js';
import { tokenOf } from './segment-tokenizer.js';
import { forEachSegment, type SegmenterName } from './segmenter.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

/**
 * The frequency of each token in a text; the keys are in order of first appearance.
 * @param counts of the preceding text, to be continued
 */
export function countTokens(
  segmenter: SegmenterName,
  lowercase: boolean,
  text: string,
  counts = new Map<string, number>(),
): Map<string, number> {
  const read = lowercase ? toLowerCase(text) : text;
  forEachSegment(segmenter, read, (start, end) => {
    const token = tokenOf(segmenter, read.slice(start, end));
    counts.set(token, (counts.get(token) ?? 0) + 1);
  });
  return counts;
}

/**
 * The vocabulary of a train split: the most frequent tokens, with ids in order of first appearance, as the book's
 * `ptb.load_data` numbers them. `<unk>` and the line end are always included, last if the text does not contain them.
 * @param limits.vocabularySize maximum number of tokens, including these two; null = no limit
 * @param limits.minCount rarer tokens are omitted; null = 1 if the text has `<unk>` for rare words, else 2
 * @param limits.hasUnknown `<unk>` in the text replaces rare words, as in PTB; otherwise it is ordinary text
 */
export function chooseVocabulary(
  segmenter: SegmenterName,
  counts: ReadonlyMap<string, number>,
  limits: {
    readonly vocabularySize: number | null;
    readonly minCount: number | null;
    readonly hasUnknown: boolean;
  },
): Vocabulary {
  const eosToken = segmenter === 'character' ? '\n' : END_OF_LINE_TOKEN;
  const always = [UNKNOWN_TOKEN, eosToken];
  const minCount = limits.minCount ?? (limits.hasUnknown ? 1 : 2);

  let kept = [...counts].filter(([token, count]) => count >= minCount && !always.includes(token));
  const room = (limits.vocabularySize ?? Number.POSITIVE_INFINITY) - always.length;
  if (kept.length > room) {
    const byFrequency = kept.toSorted(([, a], [, b]) => b - a); // stable: the earlier one wins ties
    kept = byFrequency.slice(0, room);
  }
  const keptTokens = new Set([...always, ...kept.map(([token]) => token)]);
  const tokens = [...counts.keys()].filter((token) => keptTokens.has(token));
  tokens.push(...always.filter((token) => !counts.has(token)));

  const values = Int32Array.from(tokens, (token) => counts.get(token) ?? 0);
  const unknown = tokens.indexOf(UNKNOWN_TOKEN);
  for (const [token, count] of counts) if (!keptTokens.has(token)) values[unknown]! += count;
  return new Vocabulary({ tokens, counts: values, unknownToken: UNKNOWN_TOKEN, eosToken });
}
