import { describe, it } from 'node:test';
import type { RecurrentLayer } from '../../src/layers/recurrent-layer.js';
import { GRU } from '../../src/layers/time-gru.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';
import { denseGradient } from '../support/gradient-check.js';
import { naiveGradients } from '../support/naive-gradient.js';
import { naiveGruForward } from '../support/naive-gru.js';
import type { LstmSizes } from '../support/naive-lstm.js';
import { recurrentLayer } from '../support/recurrent-layers.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of at most a few hundred float32 numbers of size 1. */
const TOLERANCE = 1e-5;
/** Both sides compute in float32, in another order. */
const PYTORCH_TOLERANCE = 2e-6;

const SIZES: Record<string, LstmSizes> = {
  'one step of one stream, one unit': { time: 1, batchSize: 1, inputSize: 1, hiddenSize: 1 },
  'odd sizes': { time: 5, batchSize: 3, inputSize: 4, hiddenSize: 7 },
  'many streams of few units': { time: 3, batchSize: 19, inputSize: 3, hiddenSize: 2 },
};

function disposeLayer(layer: RecurrentLayer): void {
  layer.dispose();
  for (const parameter of layer.parameters) parameter.dispose();
}

interface LayerFixture {
  readonly sizes: LstmSizes;
  readonly output: number[];
  readonly hidden: number[];
  readonly dx: number[];
  readonly gradients: Readonly<
    Record<'weight_ih_l0' | 'weight_hh_l0' | 'bias_ih_l0' | 'bias_hh_l0', number[]>
  >;
}

describe('RecurrentLayer of GRU cells', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, sizes] of Object.entries(SIZES)) {
      it(`agrees with plain float64 loops, forward and backward: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const { time, batchSize, inputSize, hiddenSize } = sizes;
            const weights = {
              wx: drawnTensor([inputSize, 3 * hiddenSize], 1),
              wh: drawnTensor([hiddenSize, 3 * hiddenSize], 2),
              b: drawnTensor([4 * hiddenSize], 3),
            };
            const hidden = drawnTensor([batchSize, hiddenSize], 6) as tf.Tensor2D;
            const x = drawnTensor([time, batchSize, inputSize], 4) as tf.Tensor3D;
            const dOutput = drawnTensor([time, batchSize, hiddenSize], 5) as tf.Tensor3D;
            const named = Object.entries({ x, hidden, ...weights });
            const arrays = Object.fromEntries(named.map(([key, tensor]) => [key, tensor.dataSync().slice()]));
            const inputs = {
              ...sizes,
              ...(arrays as Record<'x' | 'hidden' | 'wx' | 'wh' | 'b', Float32Array>),
            };
            const expected = naiveGradients(
              naiveGruForward,
              inputs,
              ['x', 'wx', 'wh', 'b'],
              dOutput.dataSync(),
            );
            const hiddens = naiveGruForward(inputs);

            const layer = recurrentLayer(sizes, weights, { cell: GRU });
            layer.putState({ hidden: hidden.clone() });
            const output = layer.forward(x, true);
            const dx = layer.backward(dOutput);
            const state = layer.takeState()!;
            layer.putState({ hidden });
            const evaluated = layer.forward(x, false);
            expectClose('output', output.dataSync(), hiddens, TOLERANCE);
            expectClose('outside of training', evaluated.dataSync(), hiddens, TOLERANCE);
            const last = (time - 1) * batchSize * hiddenSize;
            expectClose('state', state.hidden!.dataSync(), hiddens.subarray(last), TOLERANCE);
            expectClose('dx', dx.dataSync(), expected.x, TOLERANCE);
            for (const weight of ['wx', 'wh', 'b'] as const)
              expectClose(weight, denseGradient(layer.weights[weight]!), expected[weight], TOLERANCE);
            tf.dispose([x, dOutput, output, dx, evaluated, state.hidden!]);
            disposeLayer(layer);
          }),
        ));
    }

    it(`agrees with torch.nn.GRU in output, state and gradients, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const { layer: fixture } = readFixture<{ layer: LayerFixture }>('pytorch-gru', 1);
          const { time, batchSize, inputSize: D, hiddenSize: H } = fixture.sizes;
          const weights = tf.tidy(() => {
            const [inputBias, recurrentBias] = [drawnTensor([3 * H], 5), drawnTensor([3 * H], 6)];
            const ofGates = tf.add(tf.slice(inputBias, 0, 2 * H), tf.slice(recurrentBias, 0, 2 * H));
            return {
              wx: tf.transpose(drawnTensor([3 * H, D], 3)),
              wh: tf.transpose(drawnTensor([3 * H, H], 4)),
              b: tf.concat([ofGates, tf.slice(inputBias, 2 * H), tf.slice(recurrentBias, 2 * H)]),
            };
          });
          const layer = recurrentLayer(fixture.sizes, weights, { cell: GRU });
          const x = drawnTensor([time, batchSize, D], 1) as tf.Tensor3D;
          const dOutput = drawnTensor([time, batchSize, H], 7) as tf.Tensor3D;
          layer.putState({ hidden: drawnTensor([batchSize, H], 2) as tf.Tensor2D });
          const output = layer.forward(x, true);
          const dx = layer.backward(dOutput);
          const { hidden } = layer.takeState()!;
          const { weight_ih_l0: dWx, weight_hh_l0: dWh, bias_ih_l0, bias_hh_l0 } = fixture.gradients;
          const transposed = (values: number[], rows: number) =>
            Array.from(
              values,
              (_, at) => values[(at % rows) * (values.length / rows) + Math.floor(at / rows)]!,
            );
          expectClose('output', output.dataSync(), fixture.output, PYTORCH_TOLERANCE);
          expectClose('hidden', hidden!.dataSync(), fixture.hidden, PYTORCH_TOLERANCE);
          expectClose('dx', dx.dataSync(), fixture.dx, PYTORCH_TOLERANCE);
          const { wx, wh, b } = layer.weights;
          expectClose('dWx', denseGradient(wx!), transposed(dWx, 3 * H), PYTORCH_TOLERANCE);
          expectClose('dWh', denseGradient(wh!), transposed(dWh, 3 * H), PYTORCH_TOLERANCE);
          const dB = [...bias_ih_l0, ...bias_hh_l0.slice(2 * H)];
          expectClose('db', denseGradient(b!), dB, PYTORCH_TOLERANCE);
          tf.dispose([x, dOutput, output, dx, hidden!]);
          disposeLayer(layer);
        }),
      ));
  }
});
