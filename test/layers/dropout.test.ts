import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimeDropout } from '../../src/layers/dropout.js';
import { dropoutMask, RandomSource } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawnTensor } from '../support/drawn.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const [TIME, BATCH, WIDTH] = [5, 7, 9];
const SIZE = BATCH * WIDTH;
const RATES = [0.1, 0.25, 0.4, 0.5, 0.65, 0.9];

function timeDropout(kind: 'standard' | 'variational', rate: number, random = new RandomSource(3, 2)) {
  return new TimeDropout('dropout', { kernels: testKernels(), kind, rate, random });
}

function forwardAndBackward(kind: 'standard' | 'variational', rate: number) {
  const layer = timeDropout(kind, rate);
  const x = drawnTensor([TIME, BATCH, WIDTH], 1) as tf.Tensor3D;
  const dOutput = drawnTensor([TIME, BATCH, WIDTH], 2) as tf.Tensor3D;
  const output = layer.forward(x, true);
  const dx = layer.backward(dOutput);
  const result = {
    x: x.dataSync().slice(),
    output: unsigned(output),
    dOutput: dOutput.dataSync().slice(),
    dx: unsigned(dx),
  };
  tf.dispose([x, dOutput, output, dx]);
  layer.dispose();
  return result;
}

/** Elementwise, as float32. What is dropped is 0 without a sign: kernels differ in that. */
const product = (values: ArrayLike<number>, mask: ArrayLike<number>) =>
  Float32Array.from(values, (value, i) => value * mask[i % mask.length]! + 0);
const unsigned = (tensor: tf.Tensor) => tensor.dataSync<'float32'>().map((value) => value + 0);

describe('TimeDropout', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const rate of RATES) {
      it(`standard, at ${rate}: a mask of its own for each step, the same backward, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const { x, output, dOutput, dx } = forwardAndBackward('standard', rate);
            const mask = dropoutMask(TIME * SIZE, new RandomSource(3, 2).next(), rate);
            assert.deepEqual(output, product(x, mask));
            assert.deepEqual(dx, product(dOutput, mask));
            const step = (t: number) => [...mask.subarray(t * SIZE, (t + 1) * SIZE)].join();
            assert.notEqual(step(0), step(1));
          }),
        ));

      it(`variational, at ${rate}: one mask for all steps, the same backward, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const { x, output, dOutput, dx } = forwardAndBackward('variational', rate);
            const mask = dropoutMask(SIZE, new RandomSource(3, 2).next(), rate);
            assert.deepEqual(output, product(x, mask));
            assert.deepEqual(dx, product(dOutput, mask));
          }),
        ));
    }

    it(`takes a new mask for each batch, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = timeDropout('variational', 0.5);
          const x = tf.ones([TIME, BATCH, WIDTH]) as tf.Tensor3D;
          const [first, second] = [layer.forward(x, true), layer.forward(x, true)];
          assert.notDeepEqual(first.dataSync(), second.dataSync());
          tf.dispose([x, first, second]);
        }),
      ));

    it(`draws no mask and changes nothing outside of training or at rate 0, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const random = new RandomSource(3, 2);
          const x = drawnTensor([TIME, BATCH, WIDTH], 1) as tf.Tensor3D;
          const evaluated = timeDropout('standard', 0.5, random).forward(x, false);
          const off = timeDropout('standard', 0, random);
          const kept = off.forward(x, true);
          const back = off.backward(kept);
          for (const same of [evaluated, kept, back]) assert.deepEqual(same.dataSync(), x.dataSync());
          assert.equal(random.counter, 0);
          tf.dispose([x, evaluated, kept, back]);
        }),
      ));

    it(`draws every part of a mask as the whole says, whatever the size, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const key = { seed: 0xffffffff, stream: 2, counterLow: 0x80000001, counterHigh: 3 };
          for (const [size, period] of [
            [1, 1],
            [3, 3],
            [17, 17],
            [64, 16],
            [15, 5],
            [100_003, 100_003],
            [70_000, 700],
            [70_014, 35_007],
          ] as const) {
            const x = tf.ones([size]);
            const dropped = testKernels().dropout({ x, rate: 0.3, key, period });
            const mask = dropoutMask(period, key, 0.3);
            assert.deepEqual(dropped.dataSync(), product(new Float32Array(size).fill(1), mask), `${size}`);
            tf.dispose([x, dropped]);
          }
        }),
      ));
  }

  it('refuses to go backward before forward', () => {
    const layer = timeDropout('standard', 0.5);
    const dOutput = tf.ones([1, 1, 1]) as tf.Tensor3D;
    assert.throws(() => layer.backward(dOutput), { code: 'internal' });
    dOutput.dispose();
  });
});
