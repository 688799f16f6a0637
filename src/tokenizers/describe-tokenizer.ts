import { TokenizerConfig } from '../contracts/corpus.js';
import { ByteLevelTokenizer } from './byte-level-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/** The config that a tokenizer could have been made with; how rare a token had to be to be left out is not known. */
export function describeTokenizer(tokenizer: Tokenizer): TokenizerConfig {
  const { type, vocabulary } = tokenizer;
  const fields = { type, vocabularySize: vocabulary.size };
  if (tokenizer instanceof ByteLevelTokenizer)
    return TokenizerConfig.parse({
      ...fields,
      lowercase: tokenizer.lowercase,
      ...(type === 'word' && { preTokenizer: 'lossless' }),
    });
  if (!(tokenizer instanceof SegmentTokenizer)) return TokenizerConfig.parse(fields);
  const { segmenter, lowercase } = tokenizer;
  const preTokenizer = segmenter === 'prose-without-clusters' ? 'prose' : segmenter;
  return TokenizerConfig.parse({ ...fields, lowercase, ...(type === 'word' && { preTokenizer }) });
}
