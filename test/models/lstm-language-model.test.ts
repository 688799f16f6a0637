import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import type { Objective, TokenBatch } from '../../src/models/language-model.js';
import { LstmLanguageModel } from '../../src/models/lstm-language-model.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { checkParameterGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const VOCABULARY = 11;
const OBJECTIVE: Objective = {
  gradientScale: 1 / 12,
  activationRegularization: 0,
  temporalActivationRegularization: 0,
};

/** 3 time steps of 4 streams. */
const BATCH: TokenBatch = {
  inputs: Int32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 9, 10]),
  targets: Int32Array.from([5, 6, 7, 8, 1, 2, 9, 10, 0, 3, 4, 1]),
  time: 3,
  batchSize: 4,
};

function model(config: unknown): LstmLanguageModel {
  return new LstmLanguageModel(ModelConfig.parse(config), VOCABULARY, { seed: 7, precision: 'float32' });
}

const MODELS = {
  'one layer': { embeddingSize: 5, hiddenSizes: [6], initialization: 'uniform', initializationRange: 0.5 },
  'two layers of different sizes': {
    embeddingSize: 5,
    hiddenSizes: [6, 7],
    initialization: 'uniform',
    initializationRange: 0.5,
  },
  'tied weights': {
    embeddingSize: 6,
    hiddenSizes: [7, 6],
    tieWeights: true,
    initialization: 'uniform',
    initializationRange: 0.5,
  },
  'all kinds of dropout, variational': {
    embeddingSize: 6,
    hiddenSizes: [7, 6],
    tieWeights: true,
    initialization: 'uniform',
    initializationRange: 0.5,
    dropout: {
      kind: 'variational',
      embedding: 0.3,
      input: 0.3,
      hidden: 0.3,
      output: 0.3,
      recurrentWeights: 0.4,
    },
  },
  'standard dropout': {
    embeddingSize: 6,
    hiddenSizes: [7, 6],
    initialization: 'uniform',
    initializationRange: 0.5,
    dropout: { kind: 'standard', input: 0.5, hidden: 0.5, output: 0.5 },
  },
};

/** Sum of the objective, with the same masks at each call. */
function objective(net: LstmLanguageModel, regularization: Objective): number {
  net.random.counter = 0;
  net.putState(null);
  const losses = net.accumulateGradients(BATCH, regularization);
  for (const parameter of net.parameters) parameter.clearGradient();
  return losses.reduce((sum, loss) => sum + loss * regularization.gradientScale, 0);
}

describe('LstmLanguageModel', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, config] of Object.entries(MODELS)) {
      it(`has the numeric gradient with ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          const net = model(config);
          net.accumulateGradients(BATCH, OBJECTIVE);
          for (const parameter of net.parameters) checkParameterGradientAlone(net, parameter.name);
          net.dispose();
        }));
    }

    it(`leaks no tensor in training, evaluation and generation, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const net = model(MODELS['all kinds of dropout, variational']);
          for (let step = 0; step < 3; step++) {
            net.accumulateGradients(BATCH, {
              ...OBJECTIVE,
              activationRegularization: 2,
              temporalActivationRegularization: 1,
            });
            for (const parameter of net.parameters) {
              assert.ok(parameter.gradient);
              parameter.clearGradient();
            }
          }
          net.losses(BATCH);
          net.nextLogits(Int32Array.of(1, 2, 3, 4)).dispose();
          net.dispose();
        }),
      ));
  }

  it('gives the same losses on fused and composed kernels, with the same masks', (context) => {
    const losses = KERNELS.map((kernels) => {
      let result = new Float32Array();
      onKernels(kernels, context, () => {
        const net = model(MODELS['all kinds of dropout, variational']);
        result = net.accumulateGradients(BATCH, OBJECTIVE).slice();
        net.dispose();
      });
      return result;
    });
    if (losses[1]!.length === 0) return;
    losses[0]!.forEach((loss, m) =>
      assert.ok(Math.abs(loss - losses[1]![m]!) < 1e-5, `${loss} ${losses[1]![m]}`),
    );
  });

  it('carries its state from batch to batch, and reads the same text to the same losses in parts', () => {
    const net = model(MODELS['two layers of different sizes']);
    const whole = net.losses(BATCH);
    net.putState(null);
    const parts = [0, 1, 2].flatMap((t) => {
      const row = (ids: Int32Array) => ids.slice(4 * t, 4 * t + 4);
      return [
        ...net.losses({ inputs: row(BATCH.inputs), targets: row(BATCH.targets), time: 1, batchSize: 4 }),
      ];
    });
    whole.forEach((loss, m) => assert.ok(Math.abs(loss - parts[m]!) < 1e-6));
    net.dispose();
  });
});

function checkParameterGradientAlone(net: LstmLanguageModel, name: string): void {
  const regularization = OBJECTIVE;
  const parameter = net.parameters.find((p) => p.name === name)!;
  net.random.counter = 0;
  net.putState(null);
  for (const other of net.parameters) other.clearGradient();
  net.accumulateGradients(BATCH, regularization);
  const gradient = parameter.gradient;
  assert.ok(gradient);
  checkParameterGradient(parameter, () => objective(net, regularization), { samples: 7 });
}
