/**
 * T steps of a GRU, composed of TensorFlow ops: the loop around gru-cell.ts. x·Wx of all steps is one product, and so are
 * dWx, dWh and dx.
 *
 *     hidden_t = GRU(x_t, hidden_t-1)
 *
 * x: [T, N, D]; hidden: [N, H]; Wx: [D, 3H]; Wh: [H, 3H]; b: [4H].
 */
import type { CellGradientInput, CellGradients, CellInput, CellRun } from '../kernels/cell.js';
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';
import { gruCellBackward, gruCellForward } from './gru-cell.js';
import type { RecurrentCell } from './recurrent-cell.js';

type Weights = Readonly<Record<'wx' | 'wh' | 'b', tf.Tensor2D>>;

/** The GRU cell. */
export const GRU: RecurrentCell = {
  name: 'gru',
  stateParts: ['hidden'],
  hiddenReaders: ['wh'],
  recurrentWeights: ['wh'],
  forgetBias: { weight: 'b', begin: 1, end: 2 }, // of the update gate, which acts as a forget gate
  weights: (inputSize, hiddenSize) => ({
    wx: { shape: [inputSize, 3 * hiddenSize], role: 'weights' },
    wh: { shape: [hiddenSize, 3 * hiddenSize], role: 'weights' },
    b: { shape: [4 * hiddenSize], role: 'bias' },
  }),
  forward: timeGruForward,
  backward: timeGruBackward,
  channels({ hiddens, saved }) {
    const [reset, update, candidate] = tf.split(saved.gates!, 4, 2) as tf.Tensor3D[];
    return { reset: reset!, update: update!, candidate: candidate!, hidden: hiddens };
  },
};

/** All steps forward. Saves r, z, n and the recurrent part of n, [T, N, 4H]. */
function timeGruForward({ x, state, weights }: CellInput): CellRun {
  const [time, batchSize, width] = x.shape;
  const { wx, wh, b } = weights as Weights;
  const hiddenSize = wh.shape[0];
  const inputBias = tf.slice(b, 0, 3 * hiddenSize);
  const recurrentBias = tf.slice(b, 3 * hiddenSize, hiddenSize);
  const affine = tf.add(matMul(tf.reshape(x, [time * batchSize, width]), wx), inputBias); // [M, 3H]
  const hiddens: tf.Tensor2D[] = [];
  const gates: tf.Tensor2D[] = [];
  let hidden = state.hidden as tf.Tensor2D;
  for (const projected of tf.split(affine, time) as tf.Tensor2D[]) {
    const step = gruCellForward(projected, hidden, wh, recurrentBias);
    hiddens.push(step.hidden);
    gates.push(step.cache.gates);
    hidden = step.hidden;
  }
  return {
    hiddens: tf.stack(hiddens) as tf.Tensor3D,
    state: { hidden },
    saved: { gates: tf.stack(gates) },
  };
}

/** All steps backward. */
function timeGruBackward(input: CellGradientInput): CellGradients {
  const { x, state, weights, saved, dHiddens, hiddens } = input;
  const [time, batchSize, width] = x.shape;
  const { wx, wh } = weights as Weights;
  const hiddenSize = wh.shape[0];
  const dOutputs = tf.unstack(dHiddens) as tf.Tensor2D[];
  const gates = tf.unstack(saved.gates!) as tf.Tensor2D[];
  const previous = [state.hidden as tf.Tensor2D, ...(tf.unstack(hiddens).slice(0, -1) as tf.Tensor2D[])]; // T × [N, H]
  const dInputs: tf.Tensor2D[] = [];
  const dRecurrents: tf.Tensor2D[] = [];
  let dHidden: tf.Tensor2D = tf.zeros([batchSize, hiddenSize]);
  for (let t = time - 1; t >= 0; t--) {
    const cache = { gates: gates[t]!, previousHidden: previous[t]! };
    const back = gruCellBackward(tf.add(dOutputs[t]!, dHidden), cache, wh);
    dInputs.unshift(back.dInput);
    dRecurrents.unshift(back.dRecurrent);
    dHidden = back.dPreviousHidden;
  }
  const [dInput, dRecurrent] = [tf.concat(dInputs), tf.concat(dRecurrents)]; // [M, 3H]
  const dRecurrentBias = tf.slice(tf.sum(dRecurrent, 0), 2 * hiddenSize, hiddenSize);
  return {
    dx: tf.reshape(matMul(dInput, wx, false, true), x.shape) as tf.Tensor3D,
    dWeights: {
      wx: matMul(tf.reshape(x, [time * batchSize, width]), dInput, true, false),
      wh: matMul(tf.concat(previous), dRecurrent, true, false),
      b: tf.concat([tf.sum(dInput, 0), dRecurrentBias]),
    },
  };
}
