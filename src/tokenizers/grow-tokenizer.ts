import type { TokenizerConfig } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import { spellBytes } from './byte-alphabet.js';
import { chooseVocabulary, countTokens } from './frequency-vocabulary.js';
import {
  chooseLosslessVocabulary,
  countLosslessWords,
  LOSSLESS_MIN_COUNT,
  LosslessWordTokenizer,
} from './lossless-word-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

/** A text whose words are added to a tokenizer. */
export interface AddedText {
  readonly train: string;
  /** `<unk>` in it stands for rare words, as in PTB; otherwise it is ordinary text. */
  readonly isTokenized: boolean;
}

/**
 * A tokenizer with further tokens: the words or characters of a train split that it lacks, chosen as for a new tokenizer of
 * that text. The known tokens keep their ids; the new ones follow in order of first appearance.
 * @param limits.vocabularySize maximum number of tokens, including the known ones; null = no limit
 * @throws config-conflict for byte pairs
 */
export function growTokenizer(
  tokenizer: Tokenizer,
  limits: Pick<TokenizerConfig, 'minCount' | 'vocabularySize'>,
  { train, isTokenized }: AddedText,
): Tokenizer {
  const { vocabulary } = tokenizer;
  const { minCount } = limits;
  const room = Math.max(0, (limits.vocabularySize ?? Number.POSITIVE_INFINITY) - vocabulary.size);
  if (tokenizer instanceof SegmentTokenizer) {
    const { segmenter, lowercase } = tokenizer;
    const counts = countTokens(segmenter, lowercase, train);
    const hasUnknown = isTokenized && counts.has(UNKNOWN_TOKEN);
    const missing = new Map([...counts].filter(([token]) => !vocabulary.ids.has(token)));
    const vocabularySize = room + 2; // <unk> and the line end are always chosen too
    const chosen = chooseVocabulary(segmenter, missing, { vocabularySize, minCount, hasUnknown });
    return new SegmentTokenizer({ segmenter, lowercase, vocabulary: extend(vocabulary, chosen) });
  }
  if (tokenizer instanceof LosslessWordTokenizer) {
    const { lowercase } = tokenizer;
    const isKnown = (word: string) => vocabulary.ids.has(spellBytes(Buffer.from(word, 'utf8')));
    const missing = new Map([...countLosslessWords(train, lowercase)].filter(([word]) => !isKnown(word)));
    const vocabularySize = room + 256; // the bytes are always chosen too
    const chosen = chooseLosslessVocabulary(missing, {
      vocabularySize,
      minCount: minCount ?? LOSSLESS_MIN_COUNT,
    });
    return new LosslessWordTokenizer({ lowercase, vocabulary: extend(vocabulary, chosen) });
  }
  throw appError('config-conflict', {
    field: 'growVocabulary',
    reason: 'byte pairs encode any text, so that nothing is unknown',
  });
}

function extend(vocabulary: Vocabulary, { tokens }: Vocabulary): Vocabulary {
  const added = tokens.filter((token) => !vocabulary.ids.has(token));
  const { unknownId, eosId } = vocabulary;
  return new Vocabulary({
    tokens: [...vocabulary.tokens, ...added],
    counts: null,
    unknownToken: unknownId === null ? null : vocabulary.token(unknownId),
    eosToken: vocabulary.token(eosId),
  });
}
