/**
 * T steps of a Mogrifier LSTM, composed of TensorFlow ops: the rounds of mogrifier-step.ts, then a step of lstm-cell.ts.
 *
 * x: [T, N, D]; hidden, cell: [N, H]; Wx: [D, 4H]; Wh: [H, 4H]; b: [4H]; q1, q2, …: see mogrifier-step.ts. The gated x
 * depends on the previous step, so forward has no product over all steps; the gradient of each weight is one product.
 *
 * Reference: Melis, Kočiský and Blunsom 2020, arXiv 1909.01792.
 */
import type { CellGradientInput, CellGradients, CellInput, CellRun } from '../kernels/cell.js';
import { roundsOf } from '../kernels/mogrifier-rounds.js';
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';
import { lstmCellBackward, lstmCellForward } from './lstm-cell.js';
import { changesInput, mogrify, mogrifyBackward, replayRounds, roundGradients } from './mogrifier-step.js';
import type { RecurrentCell, WeightSpec } from './recurrent-cell.js';
import { LSTM } from './time-lstm.js';

export interface MogrifierOptions {
  /** Number of rounds in which x and h gate each other before a step. */
  readonly rounds: number;
  /** K of q_i_down [·, K] · q_i_up [K, ·]; null = one full matrix per round. */
  readonly rank: number | null;
}

type State = Readonly<Record<'hidden' | 'cell', tf.Tensor2D>>;
type LstmWeights = Readonly<Record<'wx' | 'wh' | 'b', tf.Tensor2D>>;

/** The Mogrifier LSTM cell. */
export function mogrifierLstm({ rounds, rank }: MogrifierOptions): RecurrentCell {
  return {
    ...LSTM,
    name: 'mogrifier-lstm',
    hiddenReaders: [...LSTM.hiddenReaders, ...roundsThatReadHidden(rounds, rank)],
    weights(inputSize, hiddenSize) {
      const specs: Record<string, WeightSpec> = { ...LSTM.weights(inputSize, hiddenSize) };
      for (let round = 1; round <= rounds; round++) {
        const sizes = [hiddenSize, inputSize];
        const [from, to] = (changesInput(round) ? sizes : sizes.reverse()) as [number, number];
        if (rank === null) specs[`q${round}`] = { shape: [from, to], role: 'weights' };
        else {
          specs[`q${round}_down`] = { shape: [from, rank], role: 'weights' };
          specs[`q${round}_up`] = { shape: [rank, to], role: 'weights' };
        }
      }
      return specs;
    },
    forward: timeMogrifierForward,
    backward: timeMogrifierBackward,
  };
}

/** Names of the matrices that multiply the hidden vector. */
function roundsThatReadHidden(rounds: number, rank: number | null): string[] {
  const numbers = Array.from({ length: rounds }, (_, index) => index + 1).filter(changesInput);
  return numbers.map((round) => (rank === null ? `q${round}` : `q${round}_down`));
}

/** Saves gates [T, N, 4H] and cells [T, N, H] of the LSTM, and σ of each round as s1, s2, …, [T, N, D] or [T, N, H]. */
function timeMogrifierForward({ x, state, weights }: CellInput): CellRun {
  const { wx, wh, b } = weights as LstmWeights;
  const rounds = roundsOf(weights);
  const hiddens: tf.Tensor2D[] = [];
  const cells: tf.Tensor2D[] = [];
  const gates: tf.Tensor2D[] = [];
  const roundGates: tf.Tensor2D[][] = rounds.map(() => []);
  let { hidden, cell } = state as State;
  for (const input of tf.unstack(x) as tf.Tensor2D[]) {
    const gated = mogrify(input, hidden, rounds);
    const projected = tf.add(matMul(gated.x, wx), b) as tf.Tensor2D; // [N, 4H]
    const step = lstmCellForward(projected, gated.hidden, cell, wh);
    hiddens.push(step.hidden);
    cells.push(step.cell);
    gates.push(step.cache.gates);
    for (const [index, gate] of gated.gates.entries()) roundGates[index]!.push(gate);
    ({ hidden, cell } = step);
  }
  const saved = roundGates.map((steps, index) => [`s${index + 1}`, tf.stack(steps)] as const);
  return {
    hiddens: tf.stack(hiddens) as tf.Tensor3D,
    state: { hidden, cell },
    saved: { gates: tf.stack(gates), cells: tf.stack(cells), ...Object.fromEntries(saved) },
  };
}

function timeMogrifierBackward({
  x,
  state,
  weights,
  saved,
  dHiddens,
  hiddens,
}: CellGradientInput): CellGradients {
  const initial = state as State;
  const { wx, wh } = weights as LstmWeights;
  const rounds = roundsOf(weights);
  const [time, batchSize] = x.shape;
  const previous = tf.concat([tf.expandDims(initial.hidden, 0), tf.slice(hiddens, 0, time - 1)]); // [T, N, H]
  const sigmas = rounds.map((_, index) => saved[`s${index + 1}`]!);
  const replayed = replayRounds<tf.Tensor>(x, previous, sigmas); // of all steps at once
  const steps = (tensor: tf.Tensor) => tf.unstack(tensor) as tf.Tensor2D[];
  const [dOutputs, gateSteps, cellSteps] = [dHiddens, saved.gates!, saved.cells!].map(steps) as [
    tf.Tensor2D[],
    tf.Tensor2D[],
    tf.Tensor2D[],
  ];
  const sigmaSteps = sigmas.map(steps);
  const targetSteps = replayed.inputs.map(({ target }) => steps(target));
  const dAffines: tf.Tensor2D[] = [];
  const dXs: tf.Tensor2D[] = [];
  const dProducts: tf.Tensor2D[][] = rounds.map(() => []);
  let dHidden: tf.Tensor2D = tf.zeros([batchSize, wh.shape[0]]);
  let dCell: tf.Tensor2D = tf.zeros([batchSize, wh.shape[0]]);
  for (let t = time - 1; t >= 0; t--) {
    const cache = {
      gates: gateSteps[t]!,
      cell: cellSteps[t]!,
      previousCell: cellSteps[t - 1] ?? initial.cell,
    };
    const step = lstmCellBackward(tf.add(dOutputs[t]!, dHidden), dCell, cache, wh);
    const at = (all: tf.Tensor2D[][]) => all.map((tensors) => tensors[t]!);
    const dGated = matMul(step.dAffine, wx, false, true);
    const back = mogrifyBackward(dGated, step.dPreviousHidden, rounds, at(sigmaSteps), at(targetSteps));
    dAffines.unshift(step.dAffine);
    dXs.unshift(back.dX);
    for (const [index, dProduct] of back.dProducts.entries()) dProducts[index]!.unshift(dProduct);
    dHidden = back.dHidden;
    dCell = step.dPreviousCell;
  }
  const dAffine = tf.concat(dAffines); // [M, 4H]
  const ofRounds = rounds.flatMap((round, index) => {
    const { source } = replayed.inputs[index]!;
    const gradients = roundGradients(lines(source), tf.concat(dProducts[index]!), round);
    return Object.entries(gradients).map(([end, gradient]) => [`q${index + 1}${end}`, gradient]);
  });
  return {
    dx: tf.stack(dXs) as tf.Tensor3D,
    dWeights: {
      wx: matMul(lines(replayed.x), dAffine, true, false),
      wh: matMul(lines(replayed.hidden), dAffine, true, false),
      b: tf.sum(dAffine, 0),
      ...Object.fromEntries(ofRounds),
    },
  };
}

/** [M, ·] of [T, N, ·]. */
function lines(tensor: tf.Tensor): tf.Tensor2D {
  return tf.reshape(tensor, [-1, tensor.shape.at(-1)!]);
}
