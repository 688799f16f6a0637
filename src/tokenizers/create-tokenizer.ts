import type { PreTokenizer, TokenizerConfig } from '../contracts/corpus.js';
import { trainBytePairTokenizer } from './byte-pair-tokenizer.js';
import { chooseVocabulary, countTokens } from './frequency-vocabulary.js';
import { makeLosslessWordTokenizer } from './lossless-word-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import { assertWellFormed, type Tokenizer } from './tokenizer.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

/**
 * Makes a tokenizer from a train split.
 * @param defaultPreTokenizer what the word tokenizer's preTokenizer "auto" means for this text. whitespace says that the
 * text is tokenized already, as PTB is: `<unk>` in it is its unknown word, not something that it is about
 * @throws corpus-not-text for a lone surrogate; config-conflict for a vocabulary that is too small
 */
export function createTokenizer(
  config: TokenizerConfig,
  trainText: string,
  defaultPreTokenizer: PreTokenizer,
): Tokenizer {
  if (config.type === 'byte-pair') return trainBytePairTokenizer(trainText, config);
  const segmenter = segmenterOf(config, defaultPreTokenizer);
  if (segmenter === 'lossless') return makeLosslessWordTokenizer(trainText, config);
  assertWellFormed(trainText);
  const { lowercase } = config;
  const counts = countTokens(segmenter, lowercase, trainText);
  const limits = { ...config, hasUnknown: defaultPreTokenizer === 'whitespace' && counts.has(UNKNOWN_TOKEN) };
  return new SegmentTokenizer({
    segmenter,
    lowercase,
    vocabulary: chooseVocabulary(segmenter, counts, limits),
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
  defaultPreTokenizer: PreTokenizer,
) {
  if (config.type === 'character') return 'character';
  return config.preTokenizer === 'auto' ? defaultPreTokenizer : config.preTokenizer;
}
