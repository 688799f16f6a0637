import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatherSource, isIndexed, sourceTensors, sumSource } from '../../src/kernels/indexed-rows.js';
import { Parameter } from '../../src/layers/parameter.js';
import { TimeEmbedding } from '../../src/layers/time-embedding.js';
import { dropoutMask, RandomSource } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawn, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { checkParameterGradient, denseGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of a few float32 numbers. */
const TOLERANCE = 1e-6;
const [VOCABULARY, WIDTH, TIME, BATCH] = [10, 5, 4, 3];
/** Repeats 7 four times, leaves 3 and 4 out. */
const IDS = Int32Array.of(7, 0, 7, 1, 2, 7, 9, 7, 8, 5, 6, 0);

function layerOf(rate = 0): TimeEmbedding {
  const table = new Parameter('table', drawnTensor([VOCABULARY, WIDTH], 1));
  return new TimeEmbedding('embedding', table, {
    kernels: testKernels(),
    dropout: { rate, random: new RandomSource(4, 2) },
  });
}

function disposeLayer(layer: TimeEmbedding): void {
  layer.dispose();
  layer.table.dispose();
}

/** What a loop gives: the rows of the words, each word kept or dropped as `words` says. */
function naiveForward(table: ArrayLike<number>, words: ArrayLike<number>): Float32Array {
  const output = new Float32Array(IDS.length * WIDTH);
  IDS.forEach((id, m) => {
    for (let d = 0; d < WIDTH; d++) output[m * WIDTH + d] = table[id * WIDTH + d]! * words[id]!;
  });
  return output;
}

function naiveBackward(dOutput: ArrayLike<number>, words: ArrayLike<number>): Float64Array {
  const dTable = new Float64Array(VOCABULARY * WIDTH);
  IDS.forEach((id, m) => {
    for (let d = 0; d < WIDTH; d++) dTable[id * WIDTH + d]! += dOutput[m * WIDTH + d]! * words[id]!;
  });
  return dTable;
}

describe('TimeEmbedding', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const rate of [0, 0.4]) {
      it(`agrees with plain loops with word dropout ${rate}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const layer = layerOf(rate);
            const mask = dropoutMask(VOCABULARY, new RandomSource(4, 2).next(), rate);
            if (rate > 0) assert.ok(IDS.some((id) => mask[id] === 0) && IDS.some((id) => mask[id] !== 0));
            const output = layer.forward(IDS, TIME, BATCH, true);
            assert.deepEqual(output.shape, [TIME, BATCH, WIDTH]);
            assert.deepEqual(output.dataSync(), naiveForward(layer.table.value.dataSync(), mask));
            const dOutput = drawnTensor([TIME, BATCH, WIDTH], 2) as tf.Tensor3D;
            layer.backward(dOutput);
            const expected = naiveBackward(dOutput.dataSync(), mask);
            expectClose('dTable', denseGradient(layer.table), expected, TOLERANCE);
            tf.dispose([output, dOutput]);
            disposeLayer(layer);
          }),
        ));

      it(`looks up each distinct word once, to the same bits, with word dropout ${rate}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const layers = [layerOf(rate), layerOf(rate)] as const;
            const apart = layers[0].forward(IDS, TIME, BATCH, true);
            const shared = layers[1].forwardShared(IDS, TIME, BATCH, true);
            assert.ok(isIndexed(shared));
            assert.deepEqual(shared.rows.shape, [8, WIDTH]);
            const gathered = gatherSource(shared);
            assert.deepEqual(gathered.dataSync(), apart.dataSync());
            const dApart = drawnTensor([TIME, BATCH, WIDTH], 2) as tf.Tensor3D;
            const dShared = sumSource(shared, dApart);
            layers[0].backward(dApart);
            layers[1].backward(dShared);
            const [one, other] = layers.map(({ table }) => denseGradient(table));
            expectClose('dTable', other!, one!, TOLERANCE);
            tf.dispose([apart, ...sourceTensors(shared), gathered, dApart, dShared]);
            for (const layer of layers) disposeLayer(layer);
          }),
        ));

      it(`has the numeric gradient with word dropout ${rate}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          const layer = layerOf(rate);
          const dOutput = drawn(TIME * BATCH * WIDTH, 3);
          const loss = () =>
            tf.tidy(() => {
              layer.options.dropout.random.counter = 0;
              const values = layer.forward(IDS, TIME, BATCH, true).dataSync<'float32'>();
              return values.reduce((sum, value, i) => sum + value * dOutput[i]!, 0);
            });
          loss();
          layer.backward(tf.tensor3d(dOutput, [TIME, BATCH, WIDTH]));
          checkParameterGradient(layer.table, loss);
          disposeLayer(layer);
        }));
    }

    it(`touches only the rows that were read, each once, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf();
          layer.forward(IDS, TIME, BATCH, true).dispose();
          const dOutput = tf.ones([TIME, BATCH, WIDTH]) as tf.Tensor3D;
          layer.backward(dOutput);
          const { gradient } = layer.table;
          assert.equal(gradient.kind, 'rows');
          assert.deepEqual([...gradient.rows.ids], [7, 0, 1, 2, 9, 8, 5, 6]);
          assert.deepEqual(gradient.rows.rows.shape, [8, WIDTH]);
          dOutput.dispose();
          disposeLayer(layer);
        }),
      ));

    it(`learns from a batch of one repeated word, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf();
          layer.forward(Int32Array.of(3, 3), 2, 1, true).dispose();
          const dOutput = tf.ones([2, 1, WIDTH]) as tf.Tensor3D;
          layer.backward(dOutput);
          const expected = new Float32Array(VOCABULARY * WIDTH).fill(2, 3 * WIDTH, 4 * WIDTH);
          assert.deepEqual(denseGradient(layer.table), expected);
          dOutput.dispose();
          disposeLayer(layer);
        }),
      ));
  }

  it('looks up all words of a batch that hardly repeats any', () => {
    const layer = layerOf();
    const x = layer.forwardShared(Int32Array.of(0, 1, 2, 3, 4, 0), 3, 2, false); // 5 of 6
    assert.ok(!isIndexed(x));
    assert.deepEqual(x.shape, [3, 2, WIDTH]);
    x.dispose();
    disposeLayer(layer);
  });

  it('drops the same words at all places of a batch, others in the next, none outside of training', () => {
    const layer = layerOf(0.5);
    const ids = Int32Array.from({ length: 100 }, (_, m) => m % VOCABULARY);
    const dropped = (training: boolean) =>
      tf.tidy(() => {
        const output = layer.forward(ids, 10, 10, training).dataSync();
        return Array.from(ids, (_, m) => (output[m * WIDTH] === 0 ? 1 : 0)).join('');
      });
    const [first, second, outside] = [dropped(true), dropped(true), dropped(false)];
    assert.equal(first, first.slice(0, 10).repeat(10));
    assert.notEqual(second, first);
    assert.match(outside, /^0+$/);
    disposeLayer(layer);
  });

  it('refuses ids outside of the vocabulary and a wrong number of them', () => {
    const layer = layerOf();
    for (const id of [-1, VOCABULARY]) {
      assert.throws(() => layer.forward(Int32Array.of(0, id), 2, 1, true), {
        code: 'token-id-out-of-range',
        message: `Token id ${id} is outside the vocabulary of 10 tokens`,
      });
    }
    assert.throws(() => layer.forward(Int32Array.of(0, 1), 3, 1, true), { code: 'shape-mismatch' });
    disposeLayer(layer);
  });
});
