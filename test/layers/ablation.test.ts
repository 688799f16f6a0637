/** Switched-off units: masked weights and outputs are the same as a state whose units are put to 0 after each step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecurrentCell } from '../../src/layers/recurrent-cell.js';
import type { RecurrentLayer } from '../../src/layers/recurrent-layer.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { CELLS } from '../support/cells.js';
import { drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { recurrentLayer } from '../support/recurrent-layers.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const SIZES = { inputSize: 5, hiddenSize: 6 };
const [TIME, BATCH] = [7, 2];
const ABLATED = [1, 4];
/** float32 arithmetic in another order. */
const TOLERANCE = 1e-5;

function drawnLayer(cell: RecurrentCell): RecurrentLayer {
  const specs = Object.entries(cell.weights(SIZES.inputSize, SIZES.hiddenSize));
  const weights = specs.map(([name, { shape }], index) => [name, drawnTensor([...shape], index + 1)]);
  return recurrentLayer(SIZES, Object.fromEntries(weights), { cell });
}

function disposeAll(layer: RecurrentLayer): void {
  layer.dispose();
  for (const parameter of Object.values(layer.weights)) parameter.dispose();
}

/** [T, N, H]; the layer reads one step at a time, and its ablated units are put to 0 after each. */
function readWithUnitsAtZero(layer: RecurrentLayer, x: tf.Tensor3D): number[] {
  const mask = Array.from({ length: SIZES.hiddenSize }, (_, unit) => (ABLATED.includes(unit) ? 0 : 1));
  return Array.from({ length: TIME }, (_, t) => {
    const hiddens = tf.tidy(() => tf.mul(layer.forward(tf.slice(x, t, 1), false), mask));
    const values = hiddens.dataSync<'float32'>();
    hiddens.dispose();
    const state = layer.takeState()!;
    const hidden = tf.tidy(() => tf.mul<tf.Tensor2D>(state.hidden!, mask));
    state.hidden!.dispose();
    layer.putState({ ...state, hidden });
    return [...values];
  }).flat();
}

describe('ablation of units', () => {
  useBackend();

  for (const [name, cell] of CELLS) {
    for (const kernels of KERNELS) {
      it(`gives what a state with these units at 0 gives, on ${kernels} kernels: ${name}`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const x = drawnTensor([TIME, BATCH, SIZES.inputSize], 50) as tf.Tensor3D;
            const layers = [drawnLayer(cell), drawnLayer(cell), drawnLayer(cell)] as const;
            const ablated = layers[0].inspect(x, ABLATED);
            const whole = layers[1].inspect(x);
            const values = ablated.hiddens.dataSync();
            expectClose('hiddens', values, readWithUnitsAtZero(layers[2], x), TOLERANCE);
            assert.deepEqual(ablated.channels.hidden!.dataSync(), values);
            const others = whole.hiddens.dataSync();
            const moved = values.map((value, at) =>
              ABLATED.includes(at % SIZES.hiddenSize) ? 0 : Math.abs(value - others[at]!),
            );
            assert.ok(Math.max(...moved) > 0.01, 'the other units notice');
            const tensors = [ablated, whole].flatMap(({ hiddens, channels }) => [
              hiddens,
              ...Object.values(channels),
            ]);
            tf.dispose([x, ...new Set(tensors)]);
            for (const layer of layers) disposeAll(layer);
          }),
        ));
    }
  }
});
