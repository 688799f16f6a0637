import type { CorpusStatistics, PreTokenizer, SplitName } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import type { Vocabulary } from '../tokenizers/vocabulary.js';

export const SPLIT_NAMES: readonly SplitName[] = ['train', 'valid', 'test'];

/** Share of `<unk>` among the tokens of a text above which a vocabulary does not fit it. */
export const MAX_UNKNOWN_RATE = 0.05;

export type PerSplit<Value> = Readonly<Record<SplitName, Value>>;

/** The text of a corpus, before it is tokenized. */
export interface CorpusText {
  /** Id: a known name, or that of an uploaded corpus. */
  readonly id: string;
  readonly name: string;
  readonly splits: PerSplit<string>;
  /** What the word tokenizer's preTokenizer "auto" means for this text. */
  readonly defaultPreTokenizer: PreTokenizer;
  /** Where it comes from and of which version, for records. */
  readonly source: string;
  /** SHA-256 over the splits' SHA-256, hexadecimal: same digest, same text. */
  readonly digest: string;
}

/** A text as token ids. Immutable; the ids are shared, not to be written to. */
export interface Corpus {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly digest: string;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: Vocabulary;
  readonly splits: PerSplit<Int32Array>;
  /** Length of each split's text in UTF-8: bits per byte = (loss · tokens + hiddenNats) / (ln 2 · bytes). */
  readonly bytes: PerSplit<number>;
  /** What it costs to spell the words of each split that are `<unk>`, see unknown-word-coder.ts. */
  readonly hiddenNats: PerSplit<number>;
  readonly statistics: PerSplit<CorpusStatistics>;
}

/** Minimum number of tokens that fills one batch: N streams of T steps and the token after them. */
export function leastTokens(shape: { batchSize: number; bpttLength: number }): number {
  return shape.batchSize * shape.bpttLength + 1;
}

/**
 * A corpus must fill one batch of the train split and give one prediction in each of the others.
 * @throws corpus-too-short, with the least length
 */
export function assertLongEnough(
  corpus: Pick<Corpus, 'splits'>,
  shape: { batchSize: number; bpttLength: number },
): void {
  const least = leastTokens(shape);
  if (corpus.splits.train.length < least) {
    throw appError('corpus-too-short', {
      split: 'train',
      tokens: corpus.splits.train.length,
      least,
      why: ` (batchSize ${shape.batchSize} × bpttLength ${shape.bpttLength} + 1)`,
    });
  }
  for (const split of ['valid', 'test'] as const) {
    const tokens = corpus.splits[split].length;
    if (tokens < 2) throw appError('corpus-too-short', { split, tokens, least: 2, why: '' });
  }
}
