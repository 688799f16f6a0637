import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { evaluateWithCache, type NeuralCache, searchNeuralCache } from '../../src/evaluation/neural-cache.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { createTinyModel, tinyText } from '../support/tiny-model.js';

/** float32 hidden vectors and losses, summed over some hundred tokens. */
const TOLERANCE = 1e-5;

/** The definition, one token at a time, in float64. */
function naiveCacheLoss(
  model: LanguageModel,
  ids: Int32Array,
  { window, theta, lambda }: NeuralCache,
): number {
  model.putState(null);
  const hiddens: number[][] = [];
  let total = 0;
  for (let t = 0; t + 1 < ids.length; t++) {
    const target = ids[t + 1]!;
    const batch = { inputs: ids.slice(t, t + 1), targets: Int32Array.of(target), time: 1, batchSize: 1 };
    const { losses, hiddens: h } = model.lossesAndHiddens(batch);
    hiddens.push([...h.dataSync()]);
    h.dispose();
    let all = 0;
    let hits = 0;
    for (let i = Math.max(0, t - window); i < t; i++) {
      const weight = Math.exp(
        theta * hiddens[t]!.reduce((sum, value, d) => sum + value * hiddens[i]![d]!, 0),
      );
      all += weight;
      if (ids[i + 1] === target) hits += weight;
    }
    const fromModel = Math.exp(-losses[0]!);
    total -= Math.log(t === 0 ? fromModel : (1 - lambda) * fromModel + (lambda * hits) / all);
  }
  model.putState(null);
  return total / (ids.length - 1);
}

describe('the neural cache', () => {
  useBackend();

  for (const cache of [
    { window: 3, theta: 1.5, lambda: 0.3 },
    { window: 500, theta: 0.7, lambda: 0.1 },
    { window: 100, theta: 0, lambda: 0.5 },
  ]) {
    it(`is the mixture of its definition: window ${cache.window}, θ ${cache.theta}, λ ${cache.lambda}`, () =>
      expectNoTensorLeak(() => {
        const model = createTinyModel();
        const ids = tinyText(600); // more than two blocks
        const { loss, tokens } = evaluateWithCache(model, ids, cache);
        assert.equal(tokens, ids.length - 1);
        const expected = naiveCacheLoss(model, ids, cache);
        assert.ok(Math.abs(loss - expected) < TOLERANCE, `${loss}, expected ${expected}`);
        model.dispose();
      }));
  }

  it('with λ = 0 is the model alone', () => {
    const model = createTinyModel();
    const ids = tinyText(200);
    const plain = evaluate(model, ids, { batchSize: 1, bpttLength: 50, counting: 'exact' });
    const cached = evaluateWithCache(model, ids, { window: 50, theta: 1, lambda: 0 });
    assert.ok(Math.abs(plain.loss - cached.loss) < TOLERANCE);
    model.dispose();
  });

  it('helps where words come back, and its search finds what is best on the grid', () => {
    const model = createTinyModel();
    const ids = Int32Array.from({ length: 300 }, (_, i) => [1, 5, 2][i % 3]!);
    const plain = evaluate(model, ids, { batchSize: 1, bpttLength: 50, counting: 'exact' });
    const grid = { windows: [10, 60], thetas: [0.5, 2], lambdas: [0.1, 0.9] };
    const found = searchNeuralCache(model, ids, grid);
    const again = evaluateWithCache(model, ids, found.cache);
    assert.ok(found.evaluation.loss < plain.loss - 0.1);
    assert.ok(Math.abs(again.loss - found.evaluation.loss) < TOLERANCE);
    for (const window of grid.windows) {
      for (const theta of grid.thetas) {
        for (const lambda of grid.lambdas) {
          const { loss } = evaluateWithCache(model, ids, { window, theta, lambda });
          assert.ok(loss >= found.evaluation.loss - TOLERANCE);
        }
      }
    }
    model.dispose();
  });
});
