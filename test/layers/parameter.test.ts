import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Parameter } from '../../src/layers/parameter.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { clippingScale, gradientNorm } from '../../src/training/gradient-norm.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawn, drawnIds } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { denseGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of a few float32 numbers. */
const TOLERANCE = 1e-6;
const [ROWS, WIDTH] = [6, 3];

function table(): Parameter {
  return new Parameter('table', tf.tensor(drawn(ROWS * WIDTH, 1), [ROWS, WIDTH]));
}

function dense(seed: number): { values: Float32Array; tensor: tf.Tensor } {
  const values = drawn(ROWS * WIDTH, seed);
  return { values, tensor: tf.tensor(values.slice(), [ROWS, WIDTH]) };
}

/** Rows for an embedding's gradient, and the same as a whole table. */
function sparse(seed: number) {
  const ids = drawnIds(5, seed, ROWS);
  const values = drawn(5 * WIDTH, seed);
  const whole = new Float64Array(ROWS * WIDTH);
  ids.forEach((id, m) => {
    for (let d = 0; d < WIDTH; d++) whole[id * WIDTH + d]! += values[m * WIDTH + d]!;
  });
  return { ids, rows: tf.tensor2d(values, [5, WIDTH]), values: whole };
}

const add = (...all: ArrayLike<number>[]) =>
  Float64Array.from(all[0]!, (_, i) => all.reduce((sum, values) => sum + values[i]!, 0));

describe('Parameter', () => {
  useBackend();
  for (const kernels of KERNELS) {
    it(`sums the gradients of all its readers, dense and rows, in any order, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () => {
        const orders = ['DD', 'RR', 'DR', 'RD', 'RDR', 'DRD', 'RRDDR', 'R', 'D'];
        for (const order of orders) {
          expectNoTensorLeak(() => {
            const parameter = table();
            const summands = Array.from(order, (kind, index) => {
              if (kind === 'D') {
                const { values, tensor } = dense(index);
                parameter.accumulate(tensor);
                return values;
              }
              const { ids, rows, values } = sparse(index);
              parameter.accumulateRows(testKernels(), { ids, rows });
              return values;
            });
            assert.equal(parameter.gradient.kind, order.includes('D') ? 'dense' : 'rows', order);
            expectClose(order, denseGradient(parameter), add(...summands), TOLERANCE);
            parameter.dispose();
          });
        }
      }));

    it(`goes on accumulating after its gradient was read, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const parameter = table();
          const parts = [sparse(1), sparse(2), sparse(3)];
          for (const { ids, rows } of parts) {
            parameter.accumulateRows(testKernels(), { ids, rows });
            assert.equal(parameter.gradient.kind, 'rows');
          }
          const { values, tensor } = dense(4);
          parameter.accumulate(tensor);
          const expected = add(values, ...parts.map((part) => part.values));
          expectClose('sum', denseGradient(parameter), expected, TOLERANCE);
          expectClose('read again', denseGradient(parameter), expected, TOLERANCE);
          parameter.dispose();
        }),
      ));

    it(`counts a tied gradient once, summed before the norm is taken, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const tied = table();
          const other = table();
          const output = dense(1);
          const rest = dense(3);
          const { ids, rows, values } = sparse(2);
          tied.accumulate(output.tensor);
          tied.accumulateRows(testKernels(), { ids, rows });
          other.accumulate(rest.tensor);
          const squares = [...add(output.values, values), ...rest.values].map((value) => value ** 2);
          const expected = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
          expectClose('norm', [gradientNorm([tied, other], testKernels())], [expected], TOLERANCE);
          tied.dispose();
          other.dispose();
        }),
      ));

    it(`has the norm of rows with their repeated ids summed, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const parameter = table();
          const rows = tf.tensor2d([3, 0, 0, 0, 4, 0], [2, WIDTH]);
          parameter.accumulateRows(testKernels(), { ids: Int32Array.of(1, 1), rows });
          assert.equal(gradientNorm([parameter], testKernels()), 5);
          parameter.accumulateRows(testKernels(), {
            ids: Int32Array.of(1),
            rows: tf.tensor2d([-3, -4, 2], [1, WIDTH]),
          });
          assert.equal(gradientNorm([parameter], testKernels()), 2);
          parameter.dispose();
        }),
      ));
  }

  it('has a new version with every change of its value, so that nothing made of the old one is used', () => {
    const parameter = table();
    const versions = [parameter.version];
    parameter.assign(tf.zeros([ROWS, WIDTH]));
    versions.push(parameter.version);
    parameter.exchange(tf.ones([ROWS, WIDTH])).dispose();
    versions.push(parameter.version);
    parameter.assign(parameter.value); // changed in place
    versions.push(parameter.version);
    assert.equal(new Set(versions).size, 4);
    parameter.dispose();
  });

  it('refuses values and gradients of another shape, naming itself', () => {
    expectNoTensorLeak(() => {
      const parameter = table();
      const wrong = tf.zeros([WIDTH, ROWS]);
      const message = 'Expected [6, 3] (as the value), got [3, 6] in the gradient of parameter "table"';
      assert.throws(() => parameter.accumulate(wrong), { code: 'shape-mismatch', message });
      assert.throws(() => parameter.assign(wrong), { code: 'shape-mismatch' });
      assert.throws(() => parameter.gradient, { code: 'internal' });
      wrong.dispose();
      parameter.dispose();
    });
  });
});

describe('clippingScale', () => {
  it('brings a larger norm down to the limit, and leaves a smaller one and all without a limit', () => {
    assert.equal(clippingScale(4, 1), 0.25);
    assert.equal(clippingScale(0.5, 1), 1);
    assert.equal(clippingScale(1, 1), 1);
    assert.equal(clippingScale(1e9, null), 1);
  });
});
