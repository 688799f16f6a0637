/** Entry point of the thread of measure-corpus.ts. */
import type { PreTokenizer, TokenFigures, TokenizerConfig } from '../contracts/corpus.js';
import type { SerializedError } from '../contracts/serialized-error.js';
import type { PerSplit } from '../corpora/corpus.js';
import { measureTokens, type SplitSample } from '../corpora/token-figures.js';
import { serializeError } from '../errors.js';

export interface MeasureTask {
  readonly samples: PerSplit<SplitSample>;
  readonly tokenizer: TokenizerConfig;
  readonly defaultPreTokenizer: PreTokenizer;
}

export type MeasureAnswer = { readonly figures: TokenFigures } | { readonly error: SerializedError };

export default function measure({ samples, tokenizer, defaultPreTokenizer }: MeasureTask): MeasureAnswer {
  try {
    return { figures: measureTokens(samples, tokenizer, defaultPreTokenizer) };
  } catch (error) {
    return { error: serializeError(error) };
  }
}
