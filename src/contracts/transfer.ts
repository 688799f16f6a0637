/** Models on their way out and in, as PyTorch's people pass them on. */
import { z } from 'zod';
import { TokenizerConfig } from './corpus.js';
import { ExperimentName } from './experiment-config.js';
import { ModelConfig } from './model.js';

export const TiedWeights = z
  .enum(['twice', 'once'])
  .default('twice')
  .describe(
    'Tied weights: twice = decoder.weight is there too, as load_state_dict asks for; once = it is left out',
  );

export const ExportQuery = z.strictObject({ tiedWeights: TiedWeights });
export type ExportQuery = z.infer<typeof ExportQuery>;

/** What was written for an export. */
export const ExportResult = z.object({
  files: z.array(z.object({ name: z.string(), bytes: z.int() })).describe('In the order of the bundle'),
});
export type ExportResult = z.infer<typeof ExportResult>;

/** What comes beside the files of an import. */
export const ImportFields = z.strictObject({ name: ExperimentName.default('imported') });
export type ImportFields = z.infer<typeof ImportFields>;

/** What was found in an import, and written into a model folder. */
export const ImportResult = z.object({
  digest: z.string(),
  parameterCount: z.int(),
  vocabularySize: z.int(),
  model: ModelConfig,
  precision: z.string(),
  corpus: z.string().describe('As its config says; "unknown" when it says nothing'),
  tokenizer: TokenizerConfig,
});
export type ImportResult = z.infer<typeof ImportResult>;
