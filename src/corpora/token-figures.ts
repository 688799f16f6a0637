import type { PreTokenizer, TokenFigures, TokenizerConfig } from '../contracts/corpus.js';
import { createTokenizer } from '../tokenizers/create-tokenizer.js';
import { UNKNOWN_TOKEN } from '../tokenizers/vocabulary.js';
import { leastTokens, type PerSplit } from './corpus.js';
import { mapSplits } from './encode-corpus.js';

/** The beginning of a split, and what part of it that is. */
export interface SplitSample {
  readonly text: string;
  /** 1 = all of it. */
  readonly share: number;
}

/**
 * Makes the tokenizer from the sample of train, and reads all samples with it.
 * @throws config-conflict for a vocabulary that is too small
 */
export function measureTokens(
  samples: PerSplit<SplitSample>,
  config: TokenizerConfig,
  defaultPreTokenizer: PreTokenizer,
): TokenFigures {
  const tokenizer = createTokenizer(config, samples.train.text, defaultPreTokenizer);
  let hidden = 0;
  const counts = mapSplits((split) => {
    const onUnknown = (word: string) => {
      if (split === 'valid' && word !== UNKNOWN_TOKEN) hidden++;
    };
    return tokenizer.encode(samples[split].text, onUnknown).length;
  });
  return {
    tokens: mapSplits((split) => Math.round(counts[split] / samples[split].share)),
    isExact: samples.train.share === 1,
    vocabularySize: tokenizer.vocabulary.size,
    unknownRate: counts.valid === 0 ? 0 : hidden / counts.valid,
  };
}

/** Steps that an epoch should have, so that something is learned in one. */
const GOOD_STEPS = 10;

/** A batch that gives an epoch some steps where the text is large enough, halved again and again from one that does not. */
export function fittingBatch(
  tokens: number,
  { batchSize, bpttLength }: { readonly batchSize: number; readonly bpttLength: number },
): { batchSize: number; bpttLength: number } {
  let [n, t] = [batchSize, bpttLength];
  while (n * t > 1 && (tokens - 1) / (n * t) < GOOD_STEPS) {
    if (n >= t) n = Math.ceil(n / 2);
    else t = Math.ceil(t / 2);
  }
  return leastTokens({ batchSize: n, bpttLength: t }) <= tokens
    ? { batchSize: n, bpttLength: t }
    : { batchSize: 1, bpttLength: 1 };
}
