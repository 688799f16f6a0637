import { TokenizerConfig } from '../contracts/corpus.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/** The config that a tokenizer could have been made with; how rare a token had to be to be left out is not known. */
export function describeTokenizer(tokenizer: Tokenizer): TokenizerConfig {
  const { type, vocabulary } = tokenizer;
  if (!(tokenizer instanceof SegmentTokenizer))
    return TokenizerConfig.parse({ type, vocabularySize: vocabulary.size });
  const { segmenter: preTokenizer, lowercase } = tokenizer;
  const fields = { type, vocabularySize: vocabulary.size, lowercase };
  return TokenizerConfig.parse(type === 'word' ? { ...fields, preTokenizer } : fields);
}
