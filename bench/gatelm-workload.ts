import { ModelConfig } from '../src/contracts/model.js';
import { PRESETS } from '../src/contracts/presets.js';
import { TrainingConfig } from '../src/contracts/training.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { createModel } from '../src/models/create-model.js';
import type { LanguageModel } from '../src/models/language-model.js';
import { Sgd } from '../src/training/sgd.js';
import { trainStep } from '../src/training/train-step.js';
import { generateTokensOfStreams } from './generate-streams.js';
import type { Precision, Workload } from './workload.js';

/** One step of a workload on a model of its own, as a function. TensorFlow must be loaded. */
export function prepareStep(workload: Workload, precision: Precision, kernels: Kernels): () => void {
  const model = buildModel(workload, precision, kernels);
  const { task, time, batchSize, vocabularySize, awd } = workload;
  const tokens = time * batchSize;
  const batch = {
    inputs: randomIds(tokens, vocabularySize, 1),
    targets: randomIds(tokens, vocabularySize, 2),
    time,
    batchSize,
  };
  switch (task) {
    case 'train': {
      const optimizer = new Sgd({ weightDecay: awd ? 1.2e-6 : 0 }, kernels);
      const training = TrainingConfig.parse({
        activationRegularization: awd ? 2 : 0,
        temporalActivationRegularization: awd ? 1 : 0,
      });
      const step = { model, optimizer, training, states: [] };
      return () => trainStep(step, batch, 1);
    }
    case 'evaluate':
      return () => {
        model.losses(batch);
      };
    case 'generate':
      return generateTokensOfStreams(model, batchSize);
    default:
      return task satisfies never;
  }
}

/** Tokens that a step reads or writes. */
export function tokensPerStep({ task, time, batchSize }: Workload): number {
  return task === 'generate' ? batchSize : time * batchSize;
}

function buildModel(workload: Workload, precision: Precision, kernels: Kernels): LanguageModel {
  const { dropout: rate } = workload;
  const standard = { kind: 'standard', input: rate, hidden: rate, output: rate } as const;
  const config = ModelConfig.parse({
    cell: workload.cell,
    embeddingSize: workload.embeddingSize,
    hiddenSizes: workload.hiddenSizes,
    tieWeights: workload.tied,
    initialization: 'awd-lstm',
    dropout: workload.awd ? PRESETS['awd-lstm'].config.model?.dropout : standard,
  });
  return createModel(config, workload.vocabularySize, { kernels, seed: 1, precision });
}

/** The same pseudo-random ids each time; the first of them are as good as any. */
function randomIds(count: number, vocabularySize: number, salt: number): Int32Array {
  return Int32Array.from(
    { length: count },
    (_, i) => (Math.imul(i + salt, 2654435761) >>> 0) % vocabularySize,
  );
}
