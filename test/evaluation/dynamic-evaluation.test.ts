import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateDynamically, searchDynamicEvaluation } from '../../src/evaluation/dynamic-evaluation.js';
import type { DynamicEvaluation } from '../../src/evaluation/dynamic-model.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { GradientStatistics } from '../../src/evaluation/gradient-statistics.js';
import { evaluateWithCache } from '../../src/evaluation/neural-cache.js';
import { ComposedKernels } from '../../src/kernels/composed/composed-kernels.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { weightsDigest } from '../../src/training/weights-digest.js';
import { useBackend } from '../support/backend.js';
import { denseGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { createTinyModel, tinyText } from '../support/tiny-model.js';

/** float32 arithmetic in another order, over some hundred updates. */
const TOLERANCE = 1e-4;
const SGD: DynamicEvaluation = {
  rule: 'sgd',
  learningRate: 0.2,
  decay: 0.05,
  epsilon: 0.001,
  segmentLength: 5,
};
const RMS: DynamicEvaluation = {
  rule: 'rms',
  learningRate: 0.01,
  decay: 0.05,
  epsilon: 0.001,
  segmentLength: 5,
};

const values = (tensor: tf.Tensor) => Float64Array.from(tensor.dataSync());
const digest = (model: LanguageModel) =>
  weightsDigest(new Map(model.parameters.map(({ name, value }) => [name, value])));

/** The definition with plain arrays; only the gradients come from a model. */
function naiveLoss(
  trained: LanguageModel,
  ids: Int32Array,
  options: DynamicEvaluation,
  roots: Float64Array[],
): number {
  const { rule, learningRate, decay, epsilon, segmentLength } = options;
  const copy = trained.copyWithoutDropout();
  const meanOf = (array: Float64Array) => array.reduce((sum, value) => sum + value, 0) / array.length;
  const mean = roots.reduce((sum, root) => sum + meanOf(root), 0) / Math.max(1, roots.length);
  let total = 0;
  for (let start = 0; start + 1 < ids.length; start += segmentLength) {
    const targets = ids.slice(start + 1, start + 1 + segmentLength);
    const batch = {
      inputs: ids.slice(start, start + targets.length),
      targets,
      time: targets.length,
      batchSize: 1,
    };
    const objective = { activationRegularization: 0, temporalActivationRegularization: 0 };
    for (const loss of copy.accumulateGradients(batch, { gradientScale: 1 / targets.length, ...objective }))
      total += loss;
    copy.parameters.forEach((parameter, p) => {
      const gradient = denseGradient(parameter);
      const global = values(trained.parameters[p]!.value);
      const next = values(parameter.value).map((theta, i) => {
        const root = roots[p]?.[i] ?? 0;
        const step = rule === 'sgd' ? learningRate : learningRate / (root + epsilon);
        const pull = rule === 'sgd' ? decay : Math.min(1, (decay * root) / mean);
        return theta - step * gradient[i]! + pull * (global[i]! - theta);
      });
      parameter.assign(tf.tensor(Float32Array.from(next), [...parameter.shape]));
      parameter.clearGradient();
    });
  }
  copy.dispose();
  return total / (ids.length - 1);
}

describe('dynamic evaluation', () => {
  useBackend();

  it('by SGD follows its definition, and leaves the trained weights as they are', () =>
    expectNoTensorLeak(() => {
      const model = createTinyModel();
      const before = digest(model);
      const ids = tinyText(123);
      const { loss, tokens } = evaluateDynamically(model, ids, SGD, null);
      const expected = naiveLoss(model, ids, SGD, []);
      assert.equal(tokens, 122);
      assert.ok(Math.abs(loss - expected) < TOLERANCE, `${loss}, expected ${expected}`);
      assert.equal(digest(model), before);
      model.dispose();
    }));

  it('by RMS with a global prior follows its definition', () =>
    expectNoTensorLeak(() => {
      const model = createTinyModel();
      const train = tinyText(700, 2);
      const statistics = GradientStatistics.collect(model, train, { segmentLength: 5, batches: null });
      const ids = tinyText(123);
      const roots = model.parameters.map(({ name }) => values(statistics.rootMeanSquare(name)));
      const { loss } = evaluateDynamically(model, ids, RMS, statistics);
      const expected = naiveLoss(model, ids, RMS, roots);
      assert.ok(Math.abs(loss - expected) < TOLERANCE, `${loss}, expected ${expected}`);
      statistics.dispose();
      model.dispose();
    }));

  it('is the same with composed ops', () => {
    const model = createTinyModel();
    const statistics = GradientStatistics.collect(model, tinyText(700, 2), {
      segmentLength: 5,
      batches: null,
    });
    const twin = createTinyModel(3, new ComposedKernels());
    const ids = tinyText(123);
    for (const options of [SGD, RMS]) {
      const { loss } = evaluateDynamically(model, ids, options, statistics);
      const composed = evaluateDynamically(twin, ids, options, statistics);
      assert.ok(Math.abs(loss - composed.loss) < TOLERANCE, `${options.rule}: ${loss}, ${composed.loss}`);
    }
    statistics.dispose();
    model.dispose();
    twin.dispose();
  });

  it('mixes the cache in: without learning it is the cache alone', () =>
    expectNoTensorLeak(() => {
      const model = createTinyModel();
      const ids = tinyText(203);
      const cache = { window: 40, theta: 1.5, lambda: 0.3 };
      const still = evaluateDynamically(model, ids, { ...SGD, learningRate: 0, decay: 0 }, null, cache);
      const alone = evaluateWithCache(model, ids, cache);
      assert.ok(Math.abs(still.loss - alone.loss) < TOLERANCE, `${still.loss}, ${alone.loss}`);
      const learning = evaluateDynamically(model, ids, SGD, null, cache);
      assert.ok(Math.abs(learning.loss - alone.loss) > 100 * TOLERANCE, 'learning changes it');
      model.dispose();
    }));

  it('learns a text that repeats itself, and its search does at least as well as where it starts', () => {
    const model = createTinyModel();
    const ids = Int32Array.from({ length: 200 }, (_, i) => [1, 5, 2][i % 3]!);
    const plain = evaluate(model, ids, { batchSize: 1, bpttLength: 50, counting: 'exact' });
    const start = evaluateDynamically(model, ids, { ...SGD, decay: 0 }, null);
    const found = searchDynamicEvaluation(model, ids, { ...SGD, decay: 0 }, null);
    assert.ok(start.loss < plain.loss - 0.3);
    assert.ok(found.evaluation.loss <= start.loss);
    model.dispose();
  });
});
