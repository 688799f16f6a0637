import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
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
    const numbers = layers.map((channels) =>
      Object.values(channels).map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync() })),
    );
    const names = layers.map((channels) => Object.keys(channels));
    const scores = logits.dataSync();
    for (const tensor of [logits, ...layers.flatMap((layer) => Object.values(layer))]) tensor.dispose();
    const state = model.takeState()!;
    const last = state.toNumbers();
    state.dispose();
    model.dispose();
    return { losses, scores, numbers, names, last };
  }

  it('shows what each layer did, and leaves the state that reading leaves', () =>
    expectNoTensorLeak(() => {
      const { losses, scores, numbers, names, last } = inspectAll();
      const model = createTinyModel();
      const plain = model.losses(batch);
      const state = model.takeState()!;
      assert.deepEqual(last, state.toNumbers());
      state.dispose();
      model.dispose();
      assert.deepEqual(losses, plain);
      assert.deepEqual(
        numbers.map((parts) => parts.map(({ shape }) => shape)),
        [6, 5].map((size) => Array.from({ length: 6 }, () => [11, 1, size])),
      );
      const channels = ['forget', 'candidate', 'input', 'output', 'cell', 'hidden'];
      assert.deepEqual(names, [channels, channels]);
      for (const [token, target] of batch.targets.entries()) {
        const row = Array.from(scores.subarray(token * TINY_VOCABULARY, (token + 1) * TINY_VOCABULARY));
        const loss = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target]!;
        assert.ok(Math.abs(loss - losses[token]!) < TOLERANCE);
      }
    }));

  for (const kernels of KERNELS) {
    it(`shows states that follow from gates: cell = f·cell + g·i, hidden = o·tanh(cell), on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () => {
        for (const layer of inspectAll().numbers) {
          const [f, g, i, o, cells, hiddens] = layer.map(({ values }) => values);
          const size = cells!.length / 11;
          for (let at = 0; at < cells!.length; at++) {
            const before = at < size ? 0 : cells![at - size]!;
            assert.ok(Math.abs(cells![at]! - (f![at]! * before + g![at]! * i![at]!)) < TOLERANCE);
            assert.ok(Math.abs(hiddens![at]! - o![at]! * Math.tanh(cells![at]!)) < TOLERANCE);
          }
        }
      }));
  }

  it('leaks nothing', () => {
    const before = tf.memory().numTensors;
    inspectAll();
    assert.equal(tf.memory().numTensors, before);
  });
});
