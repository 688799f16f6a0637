import type { PreTokenizer, TokenizerConfig } from '../contracts/corpus.js';
import { trainBytePairTokenizer } from './byte-pair-tokenizer.js';
import { chooseVocabulary, countTokens } from './frequency-vocabulary.js';
import {
  chooseLosslessVocabulary,
  countLosslessWords,
  LOSSLESS_MIN_COUNT,
  LosslessWordTokenizer,
} from './lossless-word-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { SegmenterName } from './segmenter.js';
import { assertWellFormed, type Tokenizer } from './tokenizer.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

/**
 * Creates a tokenizer from a train split.
 * @param defaultPreTokenizer what preTokenizer "auto" of the word tokenizer means for this text. whitespace: the text is
 * already tokenized, as PTB is, and `<unk>` in it is the unknown token, not a word of the text
 * @throws corpus-not-text for a lone surrogate; config-conflict for a vocabulary that is too small
 */
export function createTokenizer(
  config: TokenizerConfig,
  trainText: string,
  defaultPreTokenizer: PreTokenizer,
): Tokenizer {
  if (config.type === 'byte-pair') return trainBytePairTokenizer(trainText, config);
  assertWellFormed(trainText);
  const training = new VocabularyTraining(config, defaultPreTokenizer);
  training.add(trainText);
  return training.finish();
}

/** Builds a tokenizer of words or characters from a train split that is read in pieces. */
export class VocabularyTraining {
  readonly #config: Exclude<TokenizerConfig, { type: 'byte-pair' }>;
  readonly #segmenter: SegmenterName | 'lossless';
  readonly #isTokenized: boolean;
  readonly #counts = new Map<string, number>();

  /** @param defaultPreTokenizer see {@link createTokenizer} */
  constructor(config: Exclude<TokenizerConfig, { type: 'byte-pair' }>, defaultPreTokenizer: PreTokenizer) {
    this.#config = config;
    this.#segmenter = segmenterOf(config, defaultPreTokenizer);
    this.#isTokenized = defaultPreTokenizer === 'whitespace';
  }

  /** @param text the next piece; must not end within a word */
  add(text: string): void {
    const { lowercase } = this.#config;
    if (this.#segmenter === 'lossless') countLosslessWords(text, lowercase, this.#counts);
    else countTokens(this.#segmenter, lowercase, text, this.#counts);
  }

  /** @throws config-conflict for a vocabulary that is too small */
  finish(): Tokenizer {
    const { lowercase, vocabularySize, minCount } = this.#config;
    const [segmenter, counts] = [this.#segmenter, this.#counts];
    if (segmenter === 'lossless') {
      const limits = { vocabularySize, minCount: minCount ?? LOSSLESS_MIN_COUNT };
      return new LosslessWordTokenizer({ lowercase, vocabulary: chooseLosslessVocabulary(counts, limits) });
    }
    const limits = { vocabularySize, minCount, hasUnknown: this.#isTokenized && counts.has(UNKNOWN_TOKEN) };
    return new SegmentTokenizer({
      segmenter,
      lowercase,
      vocabulary: chooseVocabulary(segmenter, counts, limits),
    });
  }
}

/**
 * The word tokenizer of an imported model: tokens in the order of its ids, including `<unk>` and `<eos>`.
 * @throws tokenizer-invalid
 */
export function wordTokenizerOf(tokens: readonly string[]): Tokenizer {
  const [unknownToken, eosToken] = [UNKNOWN_TOKEN, END_OF_LINE_TOKEN];
  const vocabulary = new Vocabulary({ tokens, counts: null, unknownToken, eosToken });
  return new SegmentTokenizer({ segmenter: 'whitespace', lowercase: false, vocabulary });
}

function segmenterOf(
  config: Exclude<TokenizerConfig, { type: 'byte-pair' }>,
  defaultPreTokenizer: PreTokenizer,
): SegmenterName | 'lossless' {
  if (config.type === 'character') return 'character';
  return config.preTokenizer === 'auto' ? defaultPreTokenizer : config.preTokenizer;
}
