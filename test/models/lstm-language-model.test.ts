import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { type Objective, parameterCount, type TokenBatch } from '../../src/models/language-model.js';
import { parametersFromWeights } from '../../src/models/model-parameters.js';
import { composedTopLogits } from '../../src/tensor/logits.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { splitBatch } from '../../src/training/batch-parts.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { expectClose } from '../support/expect-close.js';
import { checkParameterGradient, denseGradient } from '../support/gradient-check.js';
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

function model(config: unknown, precision: 'float32' | 'bfloat16' = 'float32'): LanguageModel {
  return createModel(ModelConfig.parse(config), VOCABULARY, { kernels: testKernels(), seed: 7, precision });
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
function objective(net: LanguageModel, regularization: Objective): number {
  net.random.counter = 0;
  net.putState(null);
  const losses = net.accumulateGradients(BATCH, regularization);
  for (const parameter of net.parameters) parameter.clearGradient();
  return losses.reduce((sum, loss) => sum + loss * regularization.gradientScale, 0);
}

describe('LanguageModel', () => {
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
          net.nextTokens(Int32Array.of(1, 2, 3, 4), 3);
          assert.throws(() => net.nextTokens(Int32Array.of(1, 2, 3, VOCABULARY), 3), /11/);
          net.dispose();
        }),
      ));

    for (const precision of ['float32', 'bfloat16'] as const) {
      it(`a step in one op has the bits of a step layer by layer, in ${precision}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          for (const streams of [1, 3, 17]) {
            const [whole, layered] = [1, 2].map(() =>
              model(MODELS['all kinds of dropout, variational'], precision),
            );
            for (let step = 0; step < 3; step++) {
              const ids = Int32Array.from(
                { length: streams },
                (_, n) => (n * 5 + step) % whole!.vocabularySize,
              );
              const logits = layered!.nextLogits(ids);
              assert.deepEqual(whole!.nextTokens(ids, 4), composedTopLogits(logits, 4));
              logits.dispose();
            }
            whole!.dispose();
            layered!.dispose();
          }
        }));
    }
  }

  it('gives the same losses on fused and composed kernels, with the same masks', async (context) => {
    const losses: Float32Array[] = [];
    for (const kernels of KERNELS)
      await onKernels(kernels, context, () => {
        const net = model(MODELS['all kinds of dropout, variational']);
        losses.push(net.accumulateGradients(BATCH, OBJECTIVE).slice());
        net.dispose();
      });
    if (losses.length === 1) return;
    expectClose('fused losses', losses[1]!, losses[0]!, 1e-5);
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
    expectClose('in parts', parts, whole, 1e-6);
    net.dispose();
  });

  for (const kernels of KERNELS) {
    it(`accumulates over parts of a batch what the whole batch gives, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const objective = {
            ...OBJECTIVE,
            activationRegularization: 2,
            temporalActivationRegularization: 1,
          };
          const net = model(MODELS['tied weights']);
          net.accumulateGradients(BATCH, objective);
          const whole = net.parameters.map(denseGradient);
          for (const parts of [2, 3, 4, 9]) {
            for (const parameter of net.parameters) parameter.clearGradient();
            for (const part of splitBatch(BATCH, parts)) {
              const share = part.batchSize / BATCH.batchSize;
              net.putState(null);
              net.accumulateGradients(part, {
                gradientScale: objective.gradientScale,
                activationRegularization: share * objective.activationRegularization,
                temporalActivationRegularization: share * objective.temporalActivationRegularization,
              });
            }
            net.parameters.forEach((parameter, i) => {
              expectClose(`${parts} parts, ${parameter.name}`, denseGradient(parameter), whole[i]!, 1e-6);
            });
          }
          net.dispose();
        }),
      ));
  }

  it('takes no gradient, draws no mask and forgets nothing when it only reads', () => {
    expectNoTensorLeak(() => {
      const net = model(MODELS['all kinds of dropout, variational']);
      const first = net.losses(BATCH);
      const second = net.losses(BATCH);
      assert.notDeepEqual(second, first, 'the state of the first reading matters to the second');
      net.putState(null);
      assert.deepEqual(net.losses(BATCH), first);
      assert.equal(net.random.counter, 0);
      for (const parameter of net.parameters) assert.throws(() => parameter.gradient, { code: 'internal' });
      net.dispose();
    });
  });

  it('gives its state away and takes it back: another text in between changes nothing', () => {
    expectNoTensorLeak(() => {
      const net = model(MODELS['two layers of different sizes']);
      net.losses(BATCH);
      const expected = net.losses(BATCH);
      net.putState(null);
      net.losses(BATCH);
      const state = net.takeState();
      assert.equal(net.takeState(), null);
      net.read(Int32Array.of(1, 2, 3));
      net.putState(state);
      assert.deepEqual(net.losses(BATCH), expected);
      net.dispose();
    });
  });

  it('has one parameter for tied weights, and its size counts once', () => {
    const tied = model(MODELS['tied weights']);
    const names = tied.parameters.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(!names.includes('output.w'));
    const lstm = (input: number, hidden: number) => 4 * hidden * (input + hidden + 1);
    assert.equal(parameterCount(tied), VOCABULARY * 6 + lstm(6, 7) + lstm(7, 6) + VOCABULARY);
    tied.dispose();
  });

  it('refuses weights of another model, naming the tensor', () => {
    const config = ModelConfig.parse(MODELS['one layer']);
    const refuses = (weights: [string, number[]][], message: string) => {
      const tensors = new Map(weights.map(([name, shape]) => [name, tf.zeros(shape)]));
      assert.throws(() => parametersFromWeights(config, VOCABULARY, tensors), {
        code: 'tensor-mismatch',
        message,
      });
    };
    const all: [string, number[]][] = [
      ['embedding.table', [11, 5]],
      ['lstm0.wx', [5, 24]],
      ['lstm0.wh', [6, 24]],
      ['lstm0.b', [24]],
      ['output.w', [11, 6]],
      ['output.b', [11]],
    ];
    refuses(all.slice(0, 5), 'Tensor "output.b": expected [11], got no such tensor');
    refuses(
      [['lstm0.wx', [5, 20]], ...all.toSpliced(1, 1)],
      'Tensor "lstm0.wx": expected [5, 24], got [5, 20]',
    );
    refuses([...all, ['lstm1.wx', [6, 24]]], 'Tensor "lstm1.wx": expected no such tensor, got one');
  });
});

function checkParameterGradientAlone(net: LanguageModel, name: string): void {
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
