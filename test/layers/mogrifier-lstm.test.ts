import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mogrifierLstm } from '../../src/layers/time-mogrifier-lstm.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { drawn, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';
import { denseGradient } from '../support/gradient-check.js';
import { naiveGradients } from '../support/naive-gradient.js';
import type { LstmSizes } from '../support/naive-lstm.js';
import { type MogrifierInputs, naiveMogrifierForward, product } from '../support/naive-mogrifier.js';
import { recurrentLayer } from '../support/recurrent-layers.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of at most a few hundred float32 numbers of size 1. */
const TOLERANCE = 1e-5;
/** Both sides compute in float32, in another order. */
const PYTORCH_TOLERANCE = 3e-6;

interface Fixture {
  readonly sizes: LstmSizes;
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly rounds: number;
        readonly rank: number | null;
        readonly output: number[];
        readonly cell: number[];
        readonly dx: number[];
        readonly shapes: Readonly<Record<string, number[]>>;
        readonly gradients: Readonly<Record<string, number[]>>;
      }
    >
  >;
}

const FIXTURE = readFixture<Fixture>('pytorch-mogrifier', 1);
/** Sizes D ≠ H, D = H, and one unit; whole and factored matrices; an even and an odd number of rounds. */
const CASES: readonly [LstmSizes, { rounds: number; rank: number | null }][] = [
  [
    { time: 1, batchSize: 1, inputSize: 1, hiddenSize: 1 },
    { rounds: 1, rank: null },
  ],
  [
    { time: 4, batchSize: 3, inputSize: 5, hiddenSize: 3 },
    { rounds: 4, rank: null },
  ],
  [
    { time: 3, batchSize: 2, inputSize: 4, hiddenSize: 4 },
    { rounds: 5, rank: null },
  ],
  [
    { time: 3, batchSize: 2, inputSize: 3, hiddenSize: 5 },
    { rounds: 3, rank: 2 },
  ],
];

function drawWeights(sizes: LstmSizes, options: { rounds: number; rank: number | null }) {
  const specs = Object.entries(mogrifierLstm(options).weights(sizes.inputSize, sizes.hiddenSize));
  return Object.fromEntries(
    specs.map(([name, { shape }], index) => [
      name,
      drawnTensor([...shape], index < 3 ? 4 + index : 7 + index),
    ]),
  );
}

/** The matrices of the rounds, factored ones multiplied out. */
function wholeRounds(sizes: LstmSizes, rounds: number, weights: Readonly<Record<string, tf.Tensor>>) {
  const values = (name: string) => weights[name]!.dataSync().slice();
  return Array.from({ length: rounds }, (_, index) => {
    const name = `q${index + 1}`;
    if (weights[name]) return values(name);
    const [from, to] =
      index % 2 === 0
        ? ([sizes.hiddenSize, sizes.inputSize] as const)
        : ([sizes.inputSize, sizes.hiddenSize] as const);
    return product(
      values(`${name}_down`),
      values(`${name}_up`),
      from,
      weights[`${name}_down`]!.shape[1]!,
      to,
    );
  });
}

describe('RecurrentLayer of Mogrifier LSTM cells', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [sizes, options] of CASES) {
      it(`agrees with plain float64 loops: ${JSON.stringify({ ...sizes, ...options })}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const { time, batchSize, inputSize, hiddenSize } = sizes;
            const x = drawnTensor([time, batchSize, inputSize], 1) as tf.Tensor3D;
            const state = {
              hidden: drawn(batchSize * hiddenSize, 2),
              cell: drawn(batchSize * hiddenSize, 3),
            };
            const dOutput = drawnTensor([time, batchSize, hiddenSize], 7) as tf.Tensor3D;
            const weights = drawWeights(sizes, options);
            const values = (name: string) => weights[name]!.dataSync().slice();
            const inputs: MogrifierInputs = {
              ...{ ...sizes, ...state, x: x.dataSync().slice() },
              ...{ wx: values('wx'), wh: values('wh'), b: values('b') },
              rounds: wholeRounds(sizes, options.rounds, weights),
            };
            const expected = naiveGradients(
              naiveMogrifierForward,
              inputs,
              ['x', 'wx', 'wh', 'b'],
              dOutput.dataSync(),
            );
            const ofRounds = inputs.rounds.map((matrix, index) => {
              const forward = (changed: { matrix: ArrayLike<number> }) =>
                naiveMogrifierForward({
                  ...inputs,
                  rounds: inputs.rounds.map((own, at) => (at === index ? changed.matrix : own)),
                });
              return naiveGradients(forward, { matrix }, ['matrix'], dOutput.dataSync()).matrix;
            });
            const hiddens = naiveMogrifierForward(inputs);

            const layer = recurrentLayer(sizes, weights, { cell: mogrifierLstm(options) });
            const put = () =>
              layer.putState({
                hidden: tf.tensor2d(state.hidden.slice(), [batchSize, hiddenSize]),
                cell: tf.tensor2d(state.cell.slice(), [batchSize, hiddenSize]),
              });
            put();
            const output = layer.forward(x, true);
            const dx = layer.backward(dOutput);
            put();
            const evaluated = layer.forward(x, false);
            expectClose('output', output.dataSync(), hiddens, TOLERANCE);
            expectClose('outside of training', evaluated.dataSync(), hiddens, TOLERANCE);
            expectClose('dx', dx.dataSync(), expected.x, TOLERANCE);
            for (const name of ['wx', 'wh', 'b'] as const)
              expectClose(name, denseGradient(layer.weights[name]!), expected[name], TOLERANCE);
            if (options.rank === null)
              for (const [index, gradient] of ofRounds.entries())
                expectClose(
                  `q${index + 1}`,
                  denseGradient(layer.weights[`q${index + 1}`]!),
                  gradient,
                  TOLERANCE,
                );
            tf.dispose([x, dOutput, output, dx, evaluated]);
            layer.dispose();
            for (const parameter of layer.parameters) parameter.dispose();
          }),
        ));
    }

    for (const [name, fixture] of Object.entries(FIXTURE.cases)) {
      it(`agrees with PyTorch’s autograd, ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const { sizes } = FIXTURE;
            const { time, batchSize, inputSize, hiddenSize } = sizes;
            const weights = drawWeights(sizes, fixture);
            assert.deepEqual(
              Object.fromEntries(Object.entries(weights).map(([key, { shape }]) => [key, shape])),
              fixture.shapes,
            );
            const layer = recurrentLayer(sizes, weights, { cell: mogrifierLstm(fixture) });
            const x = drawnTensor([time, batchSize, inputSize], 1) as tf.Tensor3D;
            const dOutput = drawnTensor([time, batchSize, hiddenSize], 7) as tf.Tensor3D;
            layer.putState({
              hidden: drawnTensor([batchSize, hiddenSize], 2) as tf.Tensor2D,
              cell: drawnTensor([batchSize, hiddenSize], 3) as tf.Tensor2D,
            });
            const output = layer.forward(x, true);
            const dx = layer.backward(dOutput);
            const { hidden, cell } = layer.takeState()!;
            expectClose('output', output.dataSync(), fixture.output, PYTORCH_TOLERANCE);
            expectClose('cell', cell!.dataSync(), fixture.cell, PYTORCH_TOLERANCE);
            expectClose('dx', dx.dataSync(), fixture.dx, PYTORCH_TOLERANCE);
            for (const [weight, gradient] of Object.entries(fixture.gradients))
              expectClose(weight, denseGradient(layer.weights[weight]!), gradient, PYTORCH_TOLERANCE);
            tf.dispose([x, dOutput, output, dx, hidden!, cell!]);
            layer.dispose();
            for (const parameter of layer.parameters) parameter.dispose();
          }),
        ));
    }
  }
});
