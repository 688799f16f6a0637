import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecurrentLayer } from '../../src/layers/recurrent-layer.js';
import { dropoutMask, RandomSource } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { drawn, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { checkGradient, checkParameterGradient, denseGradient } from '../support/gradient-check.js';
import {
  type LstmInputs,
  type LstmSizes,
  naiveLstmBackward,
  naiveLstmForward,
} from '../support/naive-lstm.js';
import { recurrentLayer } from '../support/recurrent-layers.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of at most a few hundred float32 numbers of size 1. */
const TOLERANCE = 1e-5;

/** Odd sizes on purpose: kernels work in blocks of 8, 16 and more. */
const SIZES: Record<string, LstmSizes> = {
  'one step of one stream, one unit': { time: 1, batchSize: 1, inputSize: 1, hiddenSize: 1 },
  'one step': { time: 1, batchSize: 3, inputSize: 4, hiddenSize: 5 },
  'odd sizes': { time: 7, batchSize: 3, inputSize: 5, hiddenSize: 13 },
  'sizes beyond one block': { time: 4, batchSize: 9, inputSize: 33, hiddenSize: 37 },
  'many streams of few units': { time: 5, batchSize: 41, inputSize: 3, hiddenSize: 2 },
};
const SMALL = SIZES['odd sizes']!;

function layerOf(sizes: LstmSizes, weightDrop = 0): RecurrentLayer {
  const { inputSize, hiddenSize } = sizes;
  const weights = {
    wx: drawnTensor([inputSize, 4 * hiddenSize], 1),
    wh: drawnTensor([hiddenSize, 4 * hiddenSize], 2, 0.5),
    b: drawnTensor([4 * hiddenSize], 3),
  };
  return recurrentLayer(sizes, weights, { weightDrop, random: new RandomSource(11, 2) });
}

function disposeLayer(layer: RecurrentLayer): void {
  layer.dispose();
  for (const parameter of layer.parameters) parameter.dispose();
}

function inputOf({ time, batchSize, inputSize }: LstmSizes, seed = 4): tf.Tensor3D {
  return drawnTensor([time, batchSize, inputSize], seed) as tf.Tensor3D;
}

/** The same numbers for the twin. */
function twinInputs(sizes: LstmSizes, layer: RecurrentLayer, x: tf.Tensor3D): LstmInputs {
  const state = new Float64Array(sizes.batchSize * sizes.hiddenSize);
  const values = (tensor: tf.Tensor) => tensor.dataSync() as Float32Array;
  return {
    ...sizes,
    x: values(x),
    hidden: state,
    cell: state,
    wx: values(layer.weights.wx!.value),
    wh: values(layer.weights.wh!.value),
    b: values(layer.weights.b!.value),
  };
}

describe('RecurrentLayer of LSTM cells', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, sizes] of Object.entries(SIZES)) {
      it(`agrees with plain float64 loops, forward and backward: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const layer = layerOf(sizes);
            const x = inputOf(sizes);
            const dOutput = drawnTensor([sizes.time, sizes.batchSize, sizes.hiddenSize], 5) as tf.Tensor3D;
            const twin = twinInputs(sizes, layer, x);
            const run = naiveLstmForward(twin);
            const expected = naiveLstmBackward(twin, run, dOutput.dataSync());

            const output = layer.forward(x, true);
            const dx = layer.backward(dOutput);
            expectClose('output', output.dataSync(), run.hiddens, TOLERANCE);
            expectClose('dx', dx.dataSync(), expected.dx, TOLERANCE);
            expectClose('dWx', denseGradient(layer.weights.wx!), expected.dWx, TOLERANCE);
            expectClose('dWh', denseGradient(layer.weights.wh!), expected.dWh, TOLERANCE);
            expectClose('db', denseGradient(layer.weights.b!), expected.db, TOLERANCE);

            const state = layer.takeState()!;
            const last = (sizes.time - 1) * sizes.batchSize * sizes.hiddenSize;
            expectClose('hidden', state.hidden!.dataSync(), run.hiddens.subarray(last), TOLERANCE);
            expectClose('cell', state.cell!.dataSync(), run.cells.subarray(last), TOLERANCE);
            const evaluated = layer.forward(x, false);
            expectClose('output outside of training', evaluated.dataSync(), run.hiddens, TOLERANCE);
            tf.dispose([x, dOutput, output, dx, evaluated, state.hidden!, state.cell!]);
            disposeLayer(layer);
          }),
        ));
    }

    it(`goes on from its state, through which no gradient flows, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf(SMALL);
          const [first, second] = [inputOf(SMALL, 6), inputOf(SMALL, 7)];
          const dOutput = drawnTensor([SMALL.time, SMALL.batchSize, SMALL.hiddenSize], 8) as tf.Tensor3D;
          const before = naiveLstmForward(twinInputs(SMALL, layer, first));
          const size = SMALL.batchSize * SMALL.hiddenSize;
          const twin = {
            ...twinInputs(SMALL, layer, second),
            hidden: before.hiddens.slice(-size),
            cell: before.cells.slice(-size),
          };
          const run = naiveLstmForward(twin);
          const expected = naiveLstmBackward(twin, run, dOutput.dataSync());

          const ignored = layer.forward(first, true);
          const output = layer.forward(second, true);
          const dx = layer.backward(dOutput);
          expectClose('output', output.dataSync(), run.hiddens, TOLERANCE);
          expectClose('dx', dx.dataSync(), expected.dx, TOLERANCE);
          expectClose('dWh', denseGradient(layer.weights.wh!), expected.dWh, TOLERANCE);
          tf.dispose([first, second, dOutput, ignored, output, dx]);
          disposeLayer(layer);
        }),
      ));

    it(`reads a text to the same hidden vectors in parts and with training in between, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf(SMALL);
          const x = inputOf(SMALL);
          const whole = layer.forward(x, false);
          layer.putState(null);
          const parts = [0, 2, 5, 6].map((from, i, starts) => {
            const part = tf.slice(x, [from, 0, 0], [(starts[i + 1] ?? SMALL.time) - from, -1, -1]);
            const output = layer.forward(part, i % 2 === 1);
            part.dispose();
            return output;
          });
          const joined = tf.concat(parts);
          expectClose('in parts', joined.dataSync(), whole.dataSync(), TOLERANCE);
          tf.dispose([x, whole, joined, ...parts]);
          disposeLayer(layer);
        }),
      ));

    for (const weightDrop of [0, 0.5]) {
      it(`has the numeric gradient with weight drop ${weightDrop}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          const sizes = { time: 3, batchSize: 2, inputSize: 3, hiddenSize: 4 };
          const layer = layerOf(sizes, weightDrop);
          const x = inputOf(sizes);
          const dOutput = drawn(3 * 2 * 4, 9);
          const loss = (input: tf.Tensor3D) => {
            layer.options.random.counter = 0; // the same mask at each call
            layer.putState(null);
            return tf.tidy(() => {
              const values = layer.forward(input, true).dataSync<'float32'>();
              return values.reduce((sum, value, i) => sum + value * dOutput[i]!, 0);
            });
          };
          loss(x);
          const dx = layer.backward(tf.tensor3d(dOutput, [3, 2, 4]));
          for (const parameter of layer.parameters) checkParameterGradient(parameter, () => loss(x));
          checkGradient('x', x.dataSync() as Float32Array, dx.dataSync(), (values) =>
            tf.tidy(() => loss(tf.tensor3d(values, [3, 2, 3]))),
          );
          disposeLayer(layer);
        }));
    }

    it(`drops recurrent weights from the second step on, the same ones at all steps, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const sizes = { ...SMALL, time: 3 };
          const plain = layerOf(sizes);
          const dropping = layerOf(sizes, 0.5);
          const x = inputOf(sizes);
          const size = sizes.batchSize * sizes.hiddenSize;
          const forwardAnew = (training: boolean) => {
            dropping.putState(null);
            return dropping.forward(x, training);
          };
          const without = plain.forward(x, true);
          const [masked, again, outside] = [forwardAnew(true), forwardAnew(true), forwardAnew(false)];
          const values = [without, masked, again, outside].map((tensor) => tensor.dataSync());
          const [w, m, a, o] = values as [Float32Array, Float32Array, Float32Array, Float32Array];
          assert.deepEqual(m.subarray(0, size), w.subarray(0, size), 'step 0 reads an empty state');
          assert.notDeepEqual(m.subarray(size, 2 * size), w.subarray(size, 2 * size), 'step 1 is masked');
          assert.notDeepEqual(a.subarray(size), m.subarray(size), 'another batch has another mask');
          expectClose('outside of training', o, w, TOLERANCE);
          const dense = layerOf(sizes);
          const mask = maskOf(dropping);
          dense.weights.wh!.assign(tf.tidy(() => tf.mul(dense.weights.wh!.value, mask)));
          const fromMasked = dense.forward(x, true);
          expectClose('one mask for all steps', a, fromMasked.dataSync(), TOLERANCE);
          tf.dispose([x, without, masked, again, outside, mask, fromMasked]);
          for (const layer of [plain, dropping, dense]) disposeLayer(layer);
        }),
      ));
  }

  it('names the layer and the shapes where the input does not fit', () => {
    const layer = layerOf(SMALL);
    assert.throws(() => layer.forward(drawnTensor([2, 3, 4], 1) as tf.Tensor3D, true), {
      code: 'shape-mismatch',
      message: 'Expected [2, 3, 5] (T, N, D), got [2, 3, 4] in RecurrentLayer "lstm"',
    });
    assert.throws(() => layer.backward(inputOf(SMALL)), { code: 'internal' });
    disposeLayer(layer);
  });
});

/** The mask of the layer's second batch, drawn as src/layers/dropout.ts says. */
function maskOf(layer: RecurrentLayer): tf.Tensor {
  const random = new RandomSource(layer.options.random.seed, layer.options.random.stream, 1);
  const mask = dropoutMask(layer.weights.wh!.size, random.next(), layer.options.weightDrop);
  return tf.tensor(mask, [...layer.weights.wh!.shape]);
}
