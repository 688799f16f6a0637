import { TokenizerConfig } from '../contracts/corpus.js';
import { ByteLevelTokenizer } from './byte-level-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/** A config that would produce this tokenizer; minCount is unknown. */
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
