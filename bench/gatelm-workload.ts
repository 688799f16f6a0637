import { ModelConfig } from '../src/contracts/model.js';
import { PRESETS } from '../src/contracts/presets.js';
import { LstmLanguageModel } from '../src/models/lstm-language-model.js';
import { clippingScale, gradientNorm } from '../src/training/gradient-norm.js';
import { Sgd } from '../src/training/sgd.js';
import { generateTokensOfStreams } from './generate-streams.js';
import type { Workload } from './workload.js';

export type Precision = 'float32' | 'bfloat16';

const MAX_GRAD_NORM = 0.25;

/** One step of a workload on a model of its own, as a function. TensorFlow must be loaded. */
export function prepareStep(workload: Workload, precision: Precision): () => void {
  const model = buildModel(workload, precision);
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
      const optimizer = new Sgd({ weightDecay: awd ? 1.2e-6 : 0 });
      const objective = {
        gradientScale: 1 / tokens,
        activationRegularization: awd ? 2 : 0,
        temporalActivationRegularization: awd ? 1 : 0,
      };
      return () => {
        model.accumulateGradients(batch, objective);
        const gradientScale = clippingScale(gradientNorm(model.parameters), MAX_GRAD_NORM);
        optimizer.step(model.parameters, { learningRate: 1, gradientScale });
      };
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

function buildModel(workload: Workload, precision: Precision): LstmLanguageModel {
  const { dropout: rate } = workload;
  const standard = { kind: 'standard', input: rate, hidden: rate, output: rate } as const;
  const config = ModelConfig.parse({
    embeddingSize: workload.embeddingSize,
    hiddenSizes: workload.hiddenSizes,
    tieWeights: workload.tied,
    initialization: 'awd-lstm',
    dropout: workload.awd ? PRESETS['awd-lstm'].config.model?.dropout : standard,
  });
  return new LstmLanguageModel(config, workload.vocabularySize, { seed: 1, precision });
}

/** The same pseudo-random ids each time; the first of them are as good as any. */
function randomIds(count: number, vocabularySize: number, salt: number): Int32Array {
  return Int32Array.from(
    { length: count },
    (_, i) => (Math.imul(i + salt, 2654435761) >>> 0) % vocabularySize,
  );
}
