import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Parameter } from '../../src/layers/parameter.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { testKernels, useBackend } from './backend.js';
import { expectClose } from './expect-close.js';
import { checkGradient, checkParameterGradient, denseGradient } from './gradient-check.js';
import { expectNoTensorLeak } from './tensor-leak.js';

/** Σ x³ and its gradient. */
const cubes = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 3, 0);
const values = Float32Array.of(0.5, -1, 0.25, 2);
const gradient = values.map((value) => 3 * value ** 2);

describe('the tools of the tests', () => {
  useBackend();

  it('checkGradient takes a right gradient, and no wrong one', () => {
    checkGradient('cubes', values, gradient, cubes);
    for (let index = 0; index < values.length; index++) {
      const wrong = gradient.slice();
      wrong[index]! *= 1.1;
      assert.throws(() => checkGradient('cubes', values, wrong, cubes), new RegExp(`cubes\\[${index}\\]`));
    }
    assert.throws(() => checkGradient('cubes', values, gradient.subarray(1), cubes), /number of elements/);
    assert.throws(() => checkGradient('cubes', values, gradient.fill(Number.NaN), cubes));
  });

  it('checkParameterGradient moves the parameter, and puts it back', () => {
    const parameter = new Parameter('p', tf.tensor2d(values.slice(), [2, 2]));
    const rows = tf.tensor2d([0.1875, 10, 0.75, 3, 0, 2], [3, 2]);
    parameter.accumulateRows(testKernels(), { ids: Int32Array.of(1, 0, 1), rows });
    assert.deepEqual([...denseGradient(parameter)], [0.75, 3, 0.1875, 12]);
    checkParameterGradient(parameter, () => cubes(parameter.value.dataSync() as Float32Array));
    assert.deepEqual(parameter.value.dataSync(), values);
    assert.throws(() => checkParameterGradient(parameter, () => 0), /p\[0\]/);
  });

  it('expectClose names the worst element, and takes no NaN for close', () => {
    expectClose('v', [1, 100.1], [1, 100], 0.01);
    assert.throws(() => expectClose('v', [1, 2.1, 5], [1, 2, 3], 0.01), /v\[2\]: expected 3, got 5/);
    assert.throws(() => expectClose('v', [Number.NaN], [0], 1), /v\[0\]/);
    assert.throws(() => expectClose('v', [1], [1, 2], 1), /number of elements/);
  });

  it('expectNoTensorLeak finds a leak', () => {
    assert.throws(() => expectNoTensorLeak(() => tf.keep(tf.zeros([1]))), /tensors left alive/);
  });
});
