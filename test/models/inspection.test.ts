import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withComposedKernels } from '../../src/tensor/backend.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { createTinyModel, TINY_VOCABULARY, tinyText } from '../support/tiny-model.js';

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-5;

describe('looking inside a model', () => {
  useBackend();

  const ids = tinyText(12);
  const batch = { inputs: ids.slice(0, -1), targets: ids.slice(1), time: 11, batchSize: 1 };

  function inspectAll() {
    const model = createTinyModel();
    const { losses, logits, layers } = model.inspect(batch);
    const numbers = layers.map(({ gates, cells, hiddens }) =>
      [gates, cells, hiddens].map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync() })),
    );
    const scores = logits.dataSync();
    for (const tensor of [logits, ...layers.flatMap((layer) => Object.values(layer))]) tensor.dispose();
    const state = model.takeState()!.map(({ hidden, cell }) => [hidden, cell]);
    const last = state.map((parts) => parts.map((part) => part.dataSync()));
    for (const part of state.flat()) part.dispose();
    model.dispose();
    return { losses, scores, numbers, last };
  }

  it('shows what each layer did, and leaves the state that reading leaves', () =>
    expectNoTensorLeak(() => {
      const { losses, scores, numbers, last } = inspectAll();
      const model = createTinyModel();
      const plain = model.losses(batch);
      const state = model.takeState()!;
      for (const [layer, { hidden, cell }] of state.entries()) {
        assert.deepEqual(last[layer], [hidden.dataSync(), cell.dataSync()]);
        hidden.dispose();
        cell.dispose();
      }
      model.dispose();
      assert.deepEqual(losses, plain);
      assert.deepEqual(
        numbers.map((parts) => parts.map(({ shape }) => shape)),
        [6, 5].map((size) => [
          [11, 1, 4 * size],
          [11, 1, size],
          [11, 1, size],
        ]),
      );
      for (const [token, target] of batch.targets.entries()) {
        const row = Array.from(scores.subarray(token * TINY_VOCABULARY, (token + 1) * TINY_VOCABULARY));
        const loss = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target]!;
        assert.ok(Math.abs(loss - losses[token]!) < TOLERANCE);
      }
    }));

  it('shows states that follow from gates: cell = f·cell + g·i, hidden = o·tanh(cell)', () => {
    for (const { numbers } of [inspectAll(), withComposedKernels(inspectAll)]) {
      for (const [gates, cells, hiddens] of numbers.map((parts) => parts.map(({ values }) => values))) {
        const size = cells!.length / 11;
        for (let at = 0; at < cells!.length; at++) {
          const [time, unit] = [Math.floor(at / size), at % size];
          const [f, g, i, o] = [0, 1, 2, 3].map((gate) => gates![(4 * time + gate) * size + unit]!);
          const before = time === 0 ? 0 : cells![at - size]!;
          assert.ok(Math.abs(cells![at]! - (f! * before + g! * i!)) < TOLERANCE);
          assert.ok(Math.abs(hiddens![at]! - o! * Math.tanh(cells![at]!)) < TOLERANCE);
        }
      }
    }
  });

  it('leaks nothing', () => {
    const before = tf.memory().numTensors;
    inspectAll();
    assert.equal(tf.memory().numTensors, before);
  });
});
