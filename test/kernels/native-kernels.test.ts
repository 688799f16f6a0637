/** The native kernels on the path of this process (GATELM_CPU); native-kernels-paths.test.ts runs this file on the others. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadBackend } from '../../src/kernels/backend.js';
import { NativeKernels } from '../../src/kernels/native/native-kernels.js';
import type { NativeOps } from '../../src/kernels/native/native-ops.js';
import { composedTopLogits } from '../../src/tensor/logits.js';
import { dropoutMask } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { drawnIds, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { naiveLstmBackward, naiveLstmForward } from '../support/naive-lstm.js';
import { naiveSoftmaxLoss } from '../support/naive-softmax.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** float32: sums of a few hundred numbers of size 1. bfloat16: 8 bits an operand, against sums of this size. */
const TOLERANCE = { float32: 2e-5, bfloat16: 4e-2 };
const PRECISIONS = ['float32', 'bfloat16'] as const;

/** [T, N, D, H]: ones, odd ones, around the widths of panels (6, 14, 16, 32), more streams than a panel. */
const LSTM_SIZES: [number, number, number, number][] = [
  [1, 1, 1, 1],
  [2, 1, 3, 5],
  [3, 2, 1, 16],
  [5, 20, 10, 33],
  [4, 3, 65, 17],
  [2, 29, 7, 70],
];

/** [M, H, V] */
const SOFTMAX_SIZES: [number, number, number][] = [
  [1, 1, 1],
  [1, 5, 7],
  [3, 1, 2],
  [29, 17, 33],
  [115, 8, 100],
  [290, 6, 1040],
];

let kernels: NativeOps;

function values(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}

function drawLstm([T, N, D, H]: [number, number, number, number]) {
  return {
    x: drawnTensor([T, N, D], 1),
    hidden: drawnTensor([N, H], 2),
    cell: drawnTensor([N, H], 3),
    wx: drawnTensor([D, 4 * H], 4),
    wh: drawnTensor([H, 4 * H], 5, 0.3),
    b: drawnTensor([4 * H], 6),
  };
}

function drawSoftmax([M, H, V]: [number, number, number]) {
  const targets = drawnIds(M, 4, V);
  return {
    h: drawnTensor([M, H], 1),
    w: drawnTensor([V, H], 2),
    b: drawnTensor([V], 3, 5),
    targets: tf.tensor1d(targets, 'int32'),
  };
}

describe('the native kernels', async () => {
  const { kernels: loaded } = await loadBackend();
  const skip = loaded instanceof NativeKernels ? false : 'they were not built here';
  before(() => {
    if (loaded instanceof NativeKernels) kernels = loaded.ops;
  });

  it('run on the path that GATELM_CPU names', { skip }, (context) => {
    const wanted = process.env.GATELM_CPU;
    context.diagnostic(`${kernels.info.cpu}, ${kernels.info.threads} threads`);
    if (wanted) assert.equal(kernels.info.cpu, wanted);
  });

  it('choose the largest logits as the composed path does', { skip }, () => {
    // Around the size of a block (64), more blocks than are chosen and fewer, all of them, and ties.
    for (const [streams, size, count] of [
      [1, 1, 1],
      [2, 63, 5],
      [3, 64, 64],
      [1, 1000, 40],
      [33, 4321, 7],
      [4, 700, 300],
      [2, 10_000, 0],
    ] as const) {
      for (const levels of [0, 7]) {
        expectNoTensorLeak(() =>
          tf.tidy(() => {
            // Logits like those of the layers one by one; with levels the biases alone, which are equal here and there.
            const state = { hidden: drawnTensor([streams, 4], 2), cell: drawnTensor([streams, 4], 3) };
            const weights = { wx: drawnTensor([3, 16], 4), wh: drawnTensor([4, 16], 5), bf16: false };
            const layer = { ...state, ...kernels.packLstm(weights), b: drawnTensor([16], 6) };
            const biases = drawnTensor([size], size + levels, 5);
            const b = levels ? tf.round(tf.mul(biases, levels / 10)) : biases;
            const w = levels ? tf.zeros([size, 4]) : drawnTensor([size, 4], 7, 5);
            const output = { packed: kernels.packOutput({ w, bf16: false }), b };
            const ids = drawnIds(streams, 8, size);
            const embedding = drawnTensor([size, 3], 9);
            const given = { ids: tf.tensor1d(ids, 'int32'), count, embedding };
            const read = kernels.rows({ table: embedding, ids: tf.tensor2d(ids, [1, streams], 'int32') });
            const { hiddens, hidden, cell } = kernels.lstmPacked({ ...layer, x: read, bf16: false });
            const logits = kernels.logitsPacked({ ...output, h: hiddens, bf16: false }) as tf.Tensor2D;
            const run = kernels.nextTokens({ ...given, layers: [layer], output, bf16: false }); // writes to the state
            const what = `${streams} rows of ${size}, ${count} of them`;
            const top = { ids: run.ids.dataSync(), values: run.values.dataSync() };
            assert.deepEqual(top, composedTopLogits(logits, count), what);
            assert.deepEqual(values(state.hidden), values(hidden), what);
            assert.deepEqual(values(state.cell), values(cell), what);
          }),
        );
      }
    }
  });

  for (const precision of PRECISIONS) {
    const bf16 = precision === 'bfloat16';
    const tolerance = TOLERANCE[precision];

    for (const sizes of LSTM_SIZES) {
      const [time, batchSize, inputSize, hiddenSize] = sizes;
      it(`LSTM of [T, N, D, H] = [${sizes}] in ${precision} agrees with plain loops`, { skip }, () => {
        expectNoTensorLeak(() =>
          tf.tidy(() => {
            const input = drawLstm(sizes);
            const dHiddens = drawnTensor([time, batchSize, hiddenSize], 7);
            const run = kernels.lstmForward({ ...input, bf16 });
            const { hiddens, cache } = run;
            const back = kernels.lstmBackward({ ...input, dHiddens, hiddens, cache, bf16 });
            const plain = {
              ...Object.fromEntries(Object.entries(input).map(([name, tensor]) => [name, values(tensor)])),
              ...{ time, batchSize, inputSize, hiddenSize },
            } as unknown as Parameters<typeof naiveLstmForward>[0];
            const twin = naiveLstmForward(plain);
            const twinBack = naiveLstmBackward(plain, twin, values(dHiddens));
            const last = -batchSize * hiddenSize;
            expectClose('hiddens', values(hiddens), twin.hiddens, tolerance);
            expectClose('cells', values(cache.cells), twin.cells, tolerance);
            expectClose('hidden', values(run.hidden), twin.hiddens.slice(last), tolerance);
            expectClose('cell', values(run.cell), twin.cells.slice(last), tolerance);
            const scale = bf16 ? Math.sqrt(time * batchSize) : 1; // sums over time and streams
            for (const name of ['dx', 'dWx', 'dWh', 'db', 'dHidden', 'dCell'] as const) {
              expectClose(name, values(back[name]), twinBack[name], tolerance * scale);
            }
            const packed = kernels.packLstm({ ...input, bf16 });
            const again = kernels.lstmPacked({ ...input, ...packed, bf16 });
            assert.deepEqual(values(again.hiddens), values(hiddens));
            assert.deepEqual(values(again.cell), values(run.cell));
          }),
        );
      });
    }

    for (const sizes of SOFTMAX_SIZES) {
      const [rows, hiddenSize, vocabularySize] = sizes;
      it(`softmax loss of [M, H, V] = [${sizes}] in ${precision} agrees with plain loops`, { skip }, () => {
        expectNoTensorLeak(() =>
          tf.tidy(() => {
            const input = drawSoftmax(sizes);
            const { h, w, b, targets } = input;
            const scale = 1 / rows;
            const plain = { h: values(h), w: values(w), b: values(b), targets: targets.dataSync() };
            const twin = naiveSoftmaxLoss({ rows, hiddenSize, vocabularySize, ...plain }, scale);
            const run = kernels.softmaxLossBackward({ ...input, scale, bf16 });
            for (const name of ['losses', 'dh', 'dw', 'db'] as const) {
              expectClose(name, values(run[name]), twin[name], tolerance);
            }
            const losses = values(kernels.softmaxLoss({ ...input, bf16 }));
            expectClose('losses alone', losses, twin.losses, tolerance);
            const packed = kernels.packOutput({ w, bf16 });
            assert.deepEqual(values(kernels.softmaxLossPacked({ h, packed, b, targets, bf16 })), losses);
            expectClose(
              'logits',
              values(kernels.logitsPacked({ h, packed, b, bf16 })),
              twin.logits,
              tolerance,
            );
          }),
        );
      });
    }
  }

  it('the loss of a NaN is NaN, of far-off scores finite', { skip }, () => {
    tf.tidy(() => {
      const input = drawSoftmax([2, 3, 40]);
      const nan = kernels.softmaxLoss({ ...input, h: tf.fill([2, 3], Number.NaN), bf16: false });
      assert.deepEqual([...values(nan)], [Number.NaN, Number.NaN]);
      const far = kernels.softmaxLoss({ ...input, b: tf.mul(input.b, 1e4), bf16: false });
      assert.ok(values(far).every(Number.isFinite));
    });
  });

  it('dropout draws the masks of src/tensor/random.ts, whatever the period', { skip }, () => {
    tf.tidy(() => {
      const key = { seed: 7, stream: 2, counterLow: 4_000_000_000, counterHigh: 1 };
      const words = [key.seed, key.stream, key.counterLow, key.counterHigh] as const;
      for (const [size, period] of [
        [1, 1],
        [1000, 1000],
        [1000, 77],
        [40_000, 40_000],
        [40_000, 3],
      ] as [number, number][]) {
        const x = drawnTensor([size], 1);
        const mask = dropoutMask(period, key, 0.3);
        const expected = values(x).map((value, i) => Math.fround(value * mask[i % period]!));
        const y = kernels.dropout({ x, key: words, rate: 0.3, period });
        expectClose(`period ${period}`, values(y), expected, 1e-7);
      }
    });
  });

  it('coalescing sums the rows of equal ids in the order of their first appearance', { skip }, () => {
    tf.tidy(() => {
      const ids = drawnIds(200, 1, 30);
      const rows = drawnTensor([200, 33], 2);
      const summed = kernels.coalesceRows({ ids: tf.tensor1d(ids, 'int32'), rows });
      const unique = [...new Set(ids)];
      assert.deepEqual([...summed.ids.dataSync()], unique);
      const expected = new Float32Array(unique.length * 33);
      ids.forEach((id, m) => {
        for (let d = 0; d < 33; d++) expected[unique.indexOf(id) * 33 + d]! += values(rows)[m * 33 + d]!;
      });
      assert.deepEqual(values(summed.rows), expected);
      const steps = { ids: tf.tensor1d(ids, 'int32'), rows: tf.reshape(rows, [20, 10, 33]) };
      assert.deepEqual(values(kernels.coalesceRows(steps).rows), expected);
      const table = tf.zeros([30, 33]);
      kernels.scatterAddRows({ table, ids: summed.ids, rows: summed.rows, factor: -2 });
      const doubled = values(tf.mul(summed.rows, -2));
      assert.deepEqual(values(tf.gather(table, tf.tensor1d(unique, 'int32'))), doubled);
    });
  });

  it('rows are looked up in the shape of their ids, and none beyond the table', { skip }, () => {
    tf.tidy(() => {
      const table = drawnTensor([30, 33], 1);
      const ids = tf.tensor2d(drawnIds(200, 1, 30), [20, 10], 'int32');
      const rows = kernels.rows({ table, ids });
      assert.deepEqual(rows.shape, [20, 10, 33]);
      assert.deepEqual(values(rows), values(tf.gather(table, ids)));
      assert.throws(() => kernels.rows({ table, ids: tf.tensor1d([30], 'int32') }), /not below V/);
    });
  });

  it('sums of squares are exact to float32, tensor by tensor', { skip }, () => {
    tf.tidy(() => {
      const xs = [70_001, 1, 65_536, 0].map((size, i) => drawnTensor([size], i));
      const expected = xs.map((x) => values(x).reduce((sum, value) => sum + value * value, 0));
      expectClose('sums', values(kernels.sumSquares(xs)), expected, 1e-6);
    });
  });

  it('SGD and Adam update in place as their equations say', { skip }, () => {
    tf.tidy(() => {
      const scalars = { learningRate: 0.5, gradientScale: 0.25, weightDecay: 0.1, averageCoefficient: 0.2 };
      for (const averaged of [true, false]) {
        const drawn = (size: number, seed: number) => drawnTensor([size], seed);
        const updates = [1, 17, 40_001].map((size) => ({
          value: drawn(size, 1),
          gradient: drawn(size, 2),
          average: averaged ? drawn(size, 3) : undefined,
        }));
        const before = updates.map(({ value, gradient, average }) =>
          [value, gradient, average].map((tensor) => tensor && Float64Array.from(values(tensor))),
        );
        kernels.sgd({ updates, ...scalars });
        for (const [i, [w, g, a]] of before.entries()) {
          const { value, average } = updates[i]!;
          const next = w!.map((old, k) => old - 0.5 * (g![k]! * 0.25 + 0.1 * old));
          expectClose('value', values(value), next, 1e-6);
          const mean = a?.map((old, k) => old + (next[k]! - old) * 0.2);
          if (average && mean) expectClose('average', values(average), mean, 1e-6);
        }
      }
      for (const size of [1, 17, 40_001]) for (const decoupled of [false, true]) checkAdam(size, decoupled);
    });
  });

  it('a tensor of another shape is refused by name', { skip }, () => {
    tf.tidy(() => {
      const input = { ...drawLstm([2, 3, 4, 5]), bf16: false };
      assert.throws(
        () => kernels.lstmForward({ ...input, x: tf.zeros([2, 3]) }),
        /xpected \[T, N, D\], got \[2, 3\]/,
      );
      assert.throws(
        () => kernels.lstmForward({ ...input, wh: tf.zeros([5, 21]) }),
        /xpected \[5, 20\] \(H, 4H\), got \[5, 21\]/,
      );
      assert.throws(
        () => kernels.lstmForward({ ...input, cell: tf.zeros([3, 4]) }),
        /xpected \[3, 5\] \(N, H\), got \[3, 4\]/,
      );
      const output = { ...drawSoftmax([2, 3, 4]), bf16: false };
      assert.throws(
        () => kernels.softmaxLoss({ ...output, targets: tf.tensor1d([0, 4], 'int32') }),
        /a target is not below V/,
      );
      assert.throws(
        () => kernels.softmaxLoss({ ...output, h: tf.zeros([2, 4]) }),
        /xpected \[4, 4\] \(V, H\)/,
      );
    });
  });

  it('the same call gives the same bits', { skip }, () => {
    tf.tidy(() => {
      const input = { ...drawLstm([6, 20, 40, 70]), bf16: true };
      const output = { ...drawSoftmax([120, 70, 900]), scale: 0.01, bf16: true };
      const dHiddens = drawnTensor([6, 20, 70], 7);
      const once = () => {
        const run = kernels.lstmForward(input);
        const back = kernels.lstmBackward({
          ...input,
          ...run,
          hidden: input.hidden,
          cell: input.cell,
          dHiddens,
        });
        const loss = kernels.softmaxLossBackward(output);
        return [
          run.hiddens,
          back.dx,
          back.dWx,
          back.dWh,
          back.db,
          loss.losses,
          loss.dh,
          loss.dw,
          loss.db,
        ].map((tensor) => Buffer.from(values(tensor).buffer).toString('base64'));
      };
      const first = once();
      for (let repeat = 0; repeat < 5; repeat++) assert.deepEqual(once(), first);
    });
  });
});

function checkAdam(size: number, decoupled: boolean): void {
  const [value, m, gradient] = [4, 5, 6].map((seed) => drawnTensor([size], seed)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const v = tf.square(m);
  const [w, m0, v0, g] = [value, m, v, gradient].map((tensor) => Float64Array.from(values(tensor)));
  kernels.adam({
    ...{ value, m, v, gradient, decoupled },
    ...{ learningRate: 0.01, gradientScale: 0.5, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
    ...{ weightDecay: 0.1, correction1: 0.1, correction2: 0.01 },
  });
  const expected = w!.map((before, i) => {
    const slope = g![i]! * 0.5 + (decoupled ? 0 : 0.1 * before);
    const mean = (0.9 * m0![i]! + 0.1 * slope) / 0.1;
    const square = (0.99 * v0![i]! + 0.01 * slope ** 2) / 0.01;
    return before - 0.01 * (mean / (Math.sqrt(square) + 1e-8) + (decoupled ? 0.1 * before : 0));
  });
  expectClose(`Adam ${decoupled}`, values(value), expected, 1e-5);
}
