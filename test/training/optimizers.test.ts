import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptimizerConfig } from '../../src/contracts/training.js';
import { Parameter } from '../../src/layers/parameter.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { createOptimizer } from '../../src/training/create-optimizer.js';
import { NtAsgd } from '../../src/training/nt-asgd.js';
import { type Optimizer, withEvaluationValues } from '../../src/training/optimizer.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawnIds, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** A few float32 updates. */
const TOLERANCE = 2e-6;
const [ROWS, WIDTH, STEPS] = [40, 7, 5];
const SCALES = { learningRate: 0.3, gradientScale: 0.7 };

const OPTIMIZERS = {
  sgd: { type: 'sgd' },
  'sgd with weight decay': { type: 'sgd', weightDecay: 0.1 },
  'nt-asgd': { type: 'nt-asgd', weightDecay: 0.1, nonMonotoneInterval: 1 },
  'nt-asgd without weight decay': { type: 'nt-asgd', nonMonotoneInterval: 1 },
  adam: { type: 'adam', weightDecay: 0.1 },
  adamw: { type: 'adamw', weightDecay: 0.1 },
};

const create = (options: object) => createOptimizer(OptimizerConfig.parse(options), testKernels());

/** A parameter whose gradient comes as rows, or the same as a whole table. */
function accumulate(parameter: Parameter, step: number, asRows: boolean): void {
  const ids = drawnIds(12, 20 + step, ROWS);
  const rows = drawnTensor([12, WIDTH], 30 + step) as tf.Tensor2D;
  if (asRows) {
    parameter.accumulateRows(testKernels(), { ids, rows });
    return;
  }
  const selection = tf.oneHot(tf.tensor1d(ids, 'int32'), ROWS) as tf.Tensor2D;
  parameter.accumulate(tf.tidy(() => tf.matMul(tf.cast(selection, 'float32'), rows, true, false)));
  tf.dispose([rows, selection]);
}

/** Some updates; averaging begins after the second. @returns the value and what would be served */
function train(options: object, asRows: boolean): { value: Float32Array; served: Float32Array } {
  const optimizer = create(options);
  const parameter = new Parameter('p', drawnTensor([ROWS, WIDTH], 1));
  tf.tidy(() => {
    for (let step = 0; step < STEPS; step++) {
      accumulate(parameter, step, asRows);
      optimizer.step([parameter], SCALES);
      optimizer.afterEvaluation(step, [parameter]);
    }
  });
  const value = parameter.value.dataSync<'float32'>().slice();
  const served = withEvaluationValues(optimizer, [parameter], () =>
    parameter.value.dataSync<'float32'>().slice(),
  );
  assert.deepEqual(parameter.value.dataSync(), value, 'it has its own value again');
  optimizer.dispose();
  parameter.dispose();
  return { value, served };
}

describe('optimizers', () => {
  useBackend();
  for (const [name, options] of Object.entries(OPTIMIZERS)) {
    for (const kernels of KERNELS) {
      it(`make the same of a gradient of rows as of a whole one: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const [rows, dense] = [train(options, true), train(options, false)];
            expectClose('value', rows.value, dense.value, TOLERANCE);
            expectClose('served', rows.served, dense.served, TOLERANCE);
            assert.equal(name.startsWith('nt-asgd'), !rows.served.every((one, i) => one === rows.value[i]));
          }),
        ));

      it(`go on from a checkpoint as if nothing had been: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            let optimizer: Optimizer = create(options);
            let parameter = new Parameter('p', drawnTensor([ROWS, WIDTH], 1));
            for (let step = 0; step < STEPS; step++) {
              accumulate(parameter, step, true);
              optimizer.step([parameter], SCALES);
              optimizer.afterEvaluation(step, [parameter]);
              const copy = (tensor: tf.Tensor) =>
                tf.tensor(tensor.dataSync<'float32'>().slice(), [...tensor.shape]);
              const slots = new Map(Array.from(optimizer.slots(), ([key, slot]) => [key, copy(slot)]));
              const other = create(options);
              other.restore(structuredClone(optimizer.scalars()), slots);
              const moved = new Parameter('p', copy(parameter.value));
              optimizer.dispose();
              parameter.dispose();
              [optimizer, parameter] = [other, moved];
            }
            assert.deepEqual(parameter.value.dataSync(), train(options, true).value);
            optimizer.dispose();
            parameter.dispose();
          }),
        ));
    }

    it(`agree on composed and fused kernels: ${name}`, async (context) => {
      const results: ReturnType<typeof train>[] = [];
      for (const kernels of KERNELS)
        await onKernels(kernels, context, () => {
          results.push(train(options, true));
        });
      const [composed, fused] = results;
      if (!fused) return;
      expectClose('value', fused.value, composed!.value, TOLERANCE);
      expectClose('served', fused.served, composed!.served, TOLERANCE);
    });
  }

  it('clear the gradients that they used', () => {
    const parameter = new Parameter('p', drawnTensor([ROWS, WIDTH], 1));
    for (const options of Object.values(OPTIMIZERS)) {
      const optimizer = create(options);
      accumulate(parameter, 0, true);
      optimizer.step([parameter], SCALES);
      assert.throws(() => parameter.gradient, { code: 'internal' });
      optimizer.dispose();
    }
    parameter.dispose();
  });

  it('refuse a checkpoint without their slots', () => {
    const slots = new Map([['p.average', tf.zeros([1])]]);
    assert.throws(() => create({ type: 'adam' }).restore({ steps: 3 }, slots), {
      code: 'checkpoint-corrupt',
    });
  });
});

/** Epoch (from 1) after which averaging has begun; null = never. */
function triggerOf(curve: readonly number[], nonMonotoneInterval: number): number | null {
  const optimizer = new NtAsgd({ weightDecay: 0, nonMonotoneInterval }, testKernels());
  for (const [epoch, loss] of curve.entries()) {
    optimizer.afterEvaluation(loss, []);
    if (optimizer.isAveraging) return epoch + 1;
  }
  return null;
}

describe('NtAsgd', () => {
  useBackend();

  it('begins to average when a loss is worse than the best of all but the last n', () => {
    // the last n do not count: with n = 2, 3.5 is compared with 5, and then with 5 and 4
    assert.equal(triggerOf([5, 4, 3, 3.5, 4.5], 2), 5);
    assert.equal(triggerOf([5, 4, 3, 3.5, 4], 2), null, 'as good as the best is not worse');
    assert.equal(triggerOf([5, 4, 3, 3.1, 3.2, 3.3, 3.4], 3), 7);
    assert.equal(triggerOf([5, 4, 3, 3.1], 1), null);
    assert.equal(triggerOf([5, 4, 3, 3.1, 3.2], 1), 5);
    assert.equal(triggerOf([5, 4, 3, 2, 1], 1), null);
    assert.equal(triggerOf([1, 9, 9, 9, 9, 9], 5), null, 'more than n losses must have come before');
    assert.equal(triggerOf([1, 9, 9, 9, 9, 9, 9], 5), 7);
  });

  for (const kernels of KERNELS) {
    it(`serves the mean of all values since then, while updates go on from the last, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const optimizer = new NtAsgd({ weightDecay: 0, nonMonotoneInterval: 1 }, testKernels());
          const parameter = new Parameter('p', tf.tensor1d([10, 10]));
          const step = (...gradient: [number, number]) => {
            parameter.accumulate(tf.tensor1d(gradient));
            optimizer.step([parameter], { learningRate: 1, gradientScale: 1 });
          };
          step(1, 0);
          optimizer.afterEvaluation(1, [parameter]);
          assert.equal(optimizer.evaluationValue(parameter), null);
          for (const loss of [2, 2]) optimizer.afterEvaluation(loss, [parameter]);
          assert.ok(optimizer.isAveraging);
          assert.equal(optimizer.evaluationValue(parameter), null, 'no value to average yet');
          const seen: number[][] = [];
          for (const gradient of [
            [1, 2],
            [3, -2],
            [0, 6],
          ] as [number, number][]) {
            step(...gradient);
            seen.push([...parameter.value.dataSync()]);
            const mean = [0, 1].map((i) => seen.reduce((sum, value) => sum + value[i]!, 0) / seen.length);
            expectClose('mean', optimizer.evaluationValue(parameter)!.dataSync(), mean, TOLERANCE);
          }
          assert.deepEqual(seen.at(-1), [5, 4]);
          optimizer.afterEvaluation(0.5, [parameter]);
          assert.ok(optimizer.isAveraging, 'once begun, it goes on');
          optimizer.dispose();
          parameter.dispose();
        }),
      ));
  }

  it('gives the parameters their own values back when an evaluation fails', () => {
    expectNoTensorLeak(() => {
      const optimizer = new NtAsgd({ weightDecay: 0, nonMonotoneInterval: 1 }, testKernels());
      const parameter = new Parameter('p', tf.tensor1d([1]));
      for (const loss of [1, 2, 2]) optimizer.afterEvaluation(loss, [parameter]);
      for (const gradient of [1, 2]) {
        parameter.accumulate(tf.tensor1d([gradient]));
        optimizer.step([parameter], { learningRate: 1, gradientScale: 1 });
      }
      const fail = () => {
        assert.deepEqual([...parameter.value.dataSync()], [-1]);
        throw new Error('evaluation failed');
      };
      assert.throws(() => withEvaluationValues(optimizer, [parameter], fail), /evaluation failed/);
      assert.deepEqual([...parameter.value.dataSync()], [-2]);
      optimizer.dispose();
      parameter.dispose();
    });
  });
});
