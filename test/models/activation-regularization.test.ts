import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import type { Parameter } from '../../src/layers/parameter.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel, Objective, TokenBatch } from '../../src/models/language-model.js';
import { dropoutMask, RANDOM_STREAMS, RandomSource } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawnIds } from '../support/drawn.js';
import { checkParameterGradient } from '../support/gradient-check.js';
import { recurrentLayer } from '../support/recurrent-layers.js';

const [VOCABULARY, TIME, STREAMS, WIDTH, SEED, OUTPUT_DROPOUT] = [9, 4, 3, 5, 8, 0.4];
const IDS = drawnIds((TIME + 1) * STREAMS, 1, VOCABULARY);
const BATCH: TokenBatch = {
  inputs: IDS.slice(0, TIME * STREAMS),
  targets: IDS.slice(STREAMS),
  time: TIME,
  batchSize: STREAMS,
};

/** Large enough to outweigh the losses. */
const OBJECTIVES: Record<string, Objective> = {
  'activation regularization': {
    gradientScale: 1 / 12,
    activationRegularization: 20,
    temporalActivationRegularization: 0,
  },
  'temporal activation regularization': {
    gradientScale: 1 / 12,
    activationRegularization: 0,
    temporalActivationRegularization: 20,
  },
  'both, and the losses summed over time': {
    gradientScale: 1 / 3,
    activationRegularization: 20,
    temporalActivationRegularization: 10,
  },
};

/** Only the output is dropped, so that its mask is the first that is drawn. */
function modelOf(): LanguageModel {
  const config = ModelConfig.parse({
    embeddingSize: WIDTH,
    hiddenSizes: [WIDTH],
    tieWeights: true,
    initialization: 'uniform',
    initializationRange: 0.8,
    dropout: { kind: 'variational', output: OUTPUT_DROPOUT },
  });
  return createModel(config, VOCABULARY, { kernels: testKernels(), seed: SEED, precision: 'float32' });
}

/** The LSTM layer's output, undropped, from the parameters alone. */
function rawHiddens(model: LanguageModel): Float32Array {
  const parameter = (name: string): Parameter => model.parameters.find((one) => one.name === name)!;
  const weights = { wx: parameter('lstm0.wx'), wh: parameter('lstm0.wh'), b: parameter('lstm0.b') };
  const lstm = recurrentLayer({ inputSize: WIDTH, hiddenSize: WIDTH }, weights);
  const hiddens = tf.tidy(() => {
    const rows = tf.gather(parameter('embedding.table').value, tf.tensor1d(BATCH.inputs, 'int32'));
    return lstm
      .forward(tf.reshape(rows, [TIME, STREAMS, WIDTH]), false)
      .dataSync<'float32'>()
      .slice();
  });
  lstm.dispose();
  return hiddens;
}

/** What is differentiated, said in plain numbers: Σ losses · scale + α·mean(dropped²) + β·mean((h_t+1 − h_t)²). */
function objectiveOf(model: LanguageModel, objective: Objective): number {
  model.random.counter = 0;
  model.putState(null);
  const losses = model.accumulateGradients(BATCH, objective);
  for (const parameter of model.parameters) parameter.clearGradient();
  const raw = rawHiddens(model);
  const step = STREAMS * WIDTH;
  const mask = dropoutMask(step, new RandomSource(SEED, RANDOM_STREAMS.dropout).next(), OUTPUT_DROPOUT);
  let squares = 0;
  let differences = 0;
  raw.forEach((hidden, i) => {
    squares += (hidden * mask[i % step]!) ** 2;
    if (i >= step) differences += (hidden - raw[i - step]!) ** 2;
  });
  return (
    losses.reduce((sum, loss) => sum + loss, 0) * objective.gradientScale +
    (objective.activationRegularization * squares) / raw.length +
    (objective.temporalActivationRegularization * differences) / (raw.length - step)
  );
}

describe('activation regularization', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, objective] of Object.entries(OBJECTIVES)) {
      it(`is part of the gradient: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          const model = modelOf();
          for (const parameter of model.parameters) {
            objectiveOf(model, objective); // clears what was there
            model.random.counter = 0;
            model.putState(null);
            model.accumulateGradients(BATCH, objective);
            checkParameterGradient(parameter, () => objectiveOf(model, objective), { samples: 8 });
          }
          model.dispose();
        }));
    }
  }
});
