/** Export and import of models in PyTorch's format. */
import { z } from 'zod';
import { TokenizerConfig } from './corpus.js';
import { ExperimentName } from './experiment-config.js';
import { ModelConfig } from './model.js';

export const TiedWeights = z
  .enum(['twice', 'once'])
  .default('twice')
  .describe(
    'Tied weights. twice: decoder.weight is included too, as load_state_dict requires; once: it is omitted',
  );

export const ExportQuery = z.strictObject({ tiedWeights: TiedWeights });
export type ExportQuery = z.infer<typeof ExportQuery>;

/** The files of an export. */
export const ExportResult = z.object({
  files: z.array(z.object({ name: z.string(), bytes: z.int() })).describe('In bundle order'),
});
export type ExportResult = z.infer<typeof ExportResult>;

/** The fields beside the files of an import. */
export const ImportFields = z.strictObject({ name: ExperimentName.default('imported') });
export type ImportFields = z.infer<typeof ImportFields>;

/** The result of an import: a description of the model that was written. */
export const ImportResult = z.object({
  digest: z.string(),
  parameterCount: z.int(),
  vocabularySize: z.int(),
  model: ModelConfig,
  precision: z.string(),
  corpus: z.string().describe('The corpus named in its config; "unknown" if there is none'),
  tokenizer: TokenizerConfig,
});
export type ImportResult = z.infer<typeof ImportResult>;
