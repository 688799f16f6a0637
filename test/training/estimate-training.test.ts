import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { runToEnd } from '../../src/evaluation/stepwise.js';
import { createModel } from '../../src/models/create-model.js';
import { parameterCount } from '../../src/models/language-model.js';
import { estimateTraining } from '../../src/training/estimate-training.js';
import { testKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { tinyText } from '../support/tiny-model.js';

const splits = { train: tinyText(3000, 1), valid: tinyText(500, 2) };

function configOf(fields: object) {
  const {
    name: _,
    tags: _t,
    notes: _n,
    priority: _p,
    ...config
  } = resolveExperimentInput({
    corpus: 'handbook',
    ...fields,
  });
  return config;
}

describe('estimateTraining', () => {
  useBackend();
  for (const [what, model] of Object.entries({
    'one layer': { embeddingSize: 6, hiddenSizes: [7] },
    'several layers, tied': { embeddingSize: 5, hiddenSizes: [8, 6, 5], tieWeights: true },
  })) {
    it(`counts the parameters of ${what} without building them, and the steps of an epoch`, () => {
      const config = configOf({ model, training: { epochs: 3, batchSize: 4, bpttLength: 10 } });
      const estimate = expectNoTensorLeak(() =>
        runToEnd(estimateTraining({ kernels: testKernels(), config, vocabularySize: 9, splits })),
      );
      const built = createModel(config.model, 9, { kernels: testKernels(), seed: 1, precision: 'float32' });
      assert.equal(estimate.parameterCount, parameterCount(built));
      built.dispose();
      assert.equal(estimate.stepsPerEpoch, Math.ceil(749 / 10));
      const { steps, tokensPerSecond, secondsPerEpoch, seconds } = estimate.measured!;
      assert.ok(steps >= 1);
      assert.ok(secondsPerEpoch > 3000 / tokensPerSecond, 'training, and evaluation on top');
      assert.equal(seconds, 3 * secondsPerEpoch);
    });
  }

  it('does not try what would not fit into the memory, and says what it would need', () => {
    const config = configOf({
      model: { embeddingSize: 8192, hiddenSizes: Array.from({ length: 12 }, () => 8192) },
      optimizer: { type: 'adam' },
      training: { batchSize: 4, bpttLength: 10 },
    });
    const {
      measured,
      memoryBytes,
      parameterCount: count,
    } = runToEnd(estimateTraining({ kernels: testKernels(), config, vocabularySize: 9, splits }));
    assert.equal(measured, null);
    assert.ok(count > 6e9);
    assert.ok(memoryBytes > 16 * count, 'weights, gradients and two moments, four bytes each');
  });

  it('frees what it holds when it is given up', () => {
    const config = configOf({ training: { batchSize: 4, bpttLength: 10 } });
    expectNoTensorLeak(() => {
      const steps = estimateTraining({ kernels: testKernels(), config, vocabularySize: 9, splits });
      steps.next();
      steps.next();
      steps.return(undefined as never);
    });
  });
});
