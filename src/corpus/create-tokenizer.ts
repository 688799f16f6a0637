import type { TokenizerConfig } from '../contracts/corpus.js';
import { trainBytePairTokenizer } from './byte-pair-tokenizer.js';
import { chooseVocabulary, countTokens } from './frequency-vocabulary.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import { assertWellFormed, type Tokenizer } from './tokenizer.js';

/**
 * Makes a tokenizer from a train split.
 * @param defaultPreTokenizer what the word tokenizer's preTokenizer "auto" means for this text
 * @throws corpus-not-text for a lone surrogate
 */
export function createTokenizer(
  config: TokenizerConfig,
  trainText: string,
  defaultPreTokenizer: 'whitespace' | 'prose',
): Tokenizer {
  if (config.type === 'byte-pair') return trainBytePairTokenizer(trainText, config);
  assertWellFormed(trainText);
  const { lowercase } = config;
  const segmenter = segmenterOf(config, defaultPreTokenizer);
  const counts = countTokens(segmenter, lowercase, trainText);
  return new SegmentTokenizer({
    segmenter,
    lowercase,
    vocabulary: chooseVocabulary(segmenter, counts, config),
  });
}

function segmenterOf(
  config: Exclude<TokenizerConfig, { type: 'byte-pair' }>,
  defaultPreTokenizer: 'whitespace' | 'prose',
) {
  if (config.type === 'character') return 'character';
  return config.preTokenizer === 'auto' ? defaultPreTokenizer : config.preTokenizer;
}
