import { toLowerCase } from './lower-case.js';
import { tokenOf } from './segment-tokenizer.js';
import { forEachSegment, type SegmenterName } from './segmenter.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

/**
 * How often each token stands in a text; the keys are in order of first appearance.
 * @param counts of the text before this one, to go on counting in
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
 * `ptb.load_data` numbers them. `<unk>` and the line end are always in; where the text lacks them they come last.
 * @param limits.vocabularySize most tokens, both of these among them; null = no limit
 * @param limits.minCount rarer tokens are left out; null = 1 where the text has `<unk>` for its rare words, else 2
 * @param limits.hasUnknown `<unk>` in the text stands for its rare words, as in PTB; else it is text like any other
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
    const byFrequency = kept.toSorted(([, a], [, b]) => b - a); // stable: of equals, the earlier
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
