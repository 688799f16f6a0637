import { z } from 'zod';
import { CorpusName, TokenizerConfig } from './corpus.js';
import { ModelConfig } from './model.js';
import { OptimizerConfig, ScheduleConfig, TrainingConfig } from './training.js';

export const Precision = z
  .enum(['float32', 'bfloat16'])
  .default('float32')
  .describe(
    'Number format of the large matrix products; sums, states and weights are float32 in both. bfloat16 needs the fused native kernels',
  );

/** The fields that a preset may set: everything that determines the result of the training. */
export const ExperimentConfigFields = z.strictObject({
  corpus: CorpusName.default('handbook'),
  tokenizer: TokenizerConfig.prefault({ type: 'word' }),
  model: ModelConfig.prefault({}),
  optimizer: OptimizerConfig.prefault({ type: 'sgd' }),
  schedule: ScheduleConfig.prefault({ type: 'constant' }),
  training: TrainingConfig.prefault({}),
  precision: Precision,
});
