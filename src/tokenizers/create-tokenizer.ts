import type { TokenizerConfig } from '../contracts/corpus.js';
import { trainBytePairTokenizer } from './byte-pair-tokenizer.js';
import { chooseVocabulary, countTokens } from './frequency-vocabulary.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import { assertWellFormed, type Tokenizer } from './tokenizer.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

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

/**
 * The word tokenizer of a model from elsewhere: tokens in the order of its ids, `<unk>` and `<eos>` among them.
 * @throws tokenizer-invalid
 */
export function wordTokenizerOf(
  tokens: readonly string[],
  segmenter: 'whitespace' | 'prose' = 'whitespace',
): Tokenizer {
  const [unknownToken, eosToken] = [UNKNOWN_TOKEN, END_OF_LINE_TOKEN];
  const vocabulary = new Vocabulary({ tokens, counts: null, unknownToken, eosToken });
  return new SegmentTokenizer({ segmenter, lowercase: false, vocabulary });
}

function segmenterOf(
  config: Exclude<TokenizerConfig, { type: 'byte-pair' }>,
  defaultPreTokenizer: 'whitespace' | 'prose',
) {
  if (config.type === 'character') return 'character';
  return config.preTokenizer === 'auto' ? defaultPreTokenizer : config.preTokenizer;
}
