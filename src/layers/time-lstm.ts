/**
 * T steps of an LSTM, composed of TensorFlow ops: the loop around lstm-cell.ts. x·Wx of all steps is one product, and so are
 * dWx, dWh and dx.
 *
 *     hidden_t, cell_t = LSTM(x_t, hidden_t-1, cell_t-1)
 *
 * x: [T, N, D]; hidden, cell: [N, H]; Wx: [D, 4H]; Wh: [H, 4H]; b: [4H]; gates in the order f, g, i, o.
 *
 * Reference: Saitoh, Deep Learning from Scratch 2, section 6.3.1.
 */
import type { CellGradientInput, CellGradients, CellInput, CellRun } from '../kernels/cell.js';
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';
import { GATE_ORDER, lstmCellBackward, lstmCellForward } from './lstm-cell.js';
import type { RecurrentCell } from './recurrent-cell.js';

const GATE_NAMES = { f: 'forget', g: 'candidate', i: 'input', o: 'output' } as const;

type State = Readonly<Record<'hidden' | 'cell', tf.Tensor2D>>;
type Weights = Readonly<Record<'wx' | 'wh' | 'b', tf.Tensor2D>>;

/** The LSTM cell. */
export const LSTM: RecurrentCell = {
  name: 'lstm',
  stateParts: ['hidden', 'cell'],
  hiddenReaders: ['wh'],
  recurrentWeights: ['wh'],
  forgetBias: { weight: 'b', begin: 0, end: 1 },
  weights: (inputSize, hiddenSize) => ({
    wx: { shape: [inputSize, 4 * hiddenSize], role: 'weights' },
    wh: { shape: [hiddenSize, 4 * hiddenSize], role: 'weights' },
    b: { shape: [4 * hiddenSize], role: 'bias' },
  }),
  forward: timeLstmForward,
  backward: timeLstmBackward,
  channels({ hiddens, saved }) {
    const gates = tf.split(saved.gates!, 4, 2) as tf.Tensor3D[];
    const named = GATE_ORDER.map((gate, index) => [GATE_NAMES[gate], gates[index]!]);
    return { ...Object.fromEntries(named), cell: saved.cells as tf.Tensor3D, hidden: hiddens };
  },
};

/** All steps forward. Saves gates after their nonlinearities, [T, N, 4H], and cells, [T, N, H]. */
function timeLstmForward({ x, state, weights }: CellInput): CellRun {
  const [time, batchSize, width] = x.shape;
  const { wx, wh, b } = weights as Weights;
  const affine = tf.add(matMul(tf.reshape(x, [time * batchSize, width]), wx), b); // [M, 4H]
  const steps = tf.split(affine, time) as tf.Tensor2D[]; // T × [N, 4H]
  const hiddens: tf.Tensor2D[] = [];
  const cells: tf.Tensor2D[] = [];
  const gates: tf.Tensor2D[] = [];
  let { hidden, cell } = state as State;
  for (const projected of steps) {
    const step = lstmCellForward(projected, hidden, cell, wh);
    hiddens.push(step.hidden);
    cells.push(step.cell);
    gates.push(step.cache.gates);
    ({ hidden, cell } = step);
  }
  return {
    hiddens: tf.stack(hiddens) as tf.Tensor3D,
    state: { hidden, cell },
    saved: { gates: tf.stack(gates), cells: tf.stack(cells) },
  };
}

/** All steps backward. */
function timeLstmBackward(input: CellGradientInput): CellGradients {
  const { x, state, weights, saved, dHiddens, hiddens } = input;
  const initial = state as State;
  const { wx, wh } = weights as Weights;
  const [time, batchSize, width] = x.shape;
  const hiddenSize = wh.shape[0];
  const dOutputs = tf.unstack(dHiddens) as tf.Tensor2D[];
  const gateSteps = tf.unstack(saved.gates!) as tf.Tensor2D[];
  const cellSteps = tf.unstack(saved.cells!) as tf.Tensor2D[];
  const dAffines: tf.Tensor2D[] = [];
  let dHidden: tf.Tensor2D = tf.zeros([batchSize, hiddenSize]);
  let dCell: tf.Tensor2D = tf.zeros([batchSize, hiddenSize]);
  for (let t = time - 1; t >= 0; t--) {
    const step = {
      gates: gateSteps[t]!,
      cell: cellSteps[t]!,
      previousCell: cellSteps[t - 1] ?? initial.cell,
    };
    const back = lstmCellBackward(tf.add(dOutputs[t]!, dHidden), dCell, step, wh);
    dAffines.unshift(back.dAffine);
    dHidden = back.dPreviousHidden;
    dCell = back.dPreviousCell;
  }
  const dAffine = tf.concat(dAffines); // [M, 4H]
  const previousHiddens = tf.concat([initial.hidden, ...(tf.unstack(hiddens).slice(0, -1) as tf.Tensor2D[])]); // [M, H]
  return {
    dx: tf.reshape(matMul(dAffine, wx, false, true), x.shape) as tf.Tensor3D,
    dWeights: {
      wx: matMul(tf.reshape(x, [time * batchSize, width]), dAffine, true, false),
      wh: matMul(previousHiddens, dAffine, true, false),
      b: tf.sum(dAffine, 0),
    },
  };
}
