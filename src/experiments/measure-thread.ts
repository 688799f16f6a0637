/** The worker module of measure-corpus.ts. */
import type { PreTokenizer, TokenFigures, TokenizerConfig } from '../contracts/corpus.js';
import type { PerSplit } from '../corpora/corpus.js';
import { measureTokens, type SplitSample } from '../corpora/token-figures.js';

export interface MeasureTask {
  readonly samples: PerSplit<SplitSample>;
  readonly tokenizer: TokenizerConfig;
  readonly defaultPreTokenizer: PreTokenizer;
}

export default async function measure(task: MeasureTask): Promise<TokenFigures> {
  return measureTokens(task.samples, task.tokenizer, task.defaultPreTokenizer);
}
