/**
 * One step of an LSTM, composed of TensorFlow ops: the readable equivalent of the fused native kernel.
 *
 *     [f, g, i, o] = x·Wx + hidden·Wh + b        one affine; f, i, o through a sigmoid, g through tanh
 *     cell'   = f ⊙ cell + g ⊙ i
 *     hidden' = o ⊙ tanh(cell')
 *
 * x: [N, D]; hidden, cell: [N, H]; Wx: [D, 4H]; Wh: [H, 4H]; b: [4H]. f is the forget gate, g the candidate, i the input
 * gate, o the output gate. The product with x does not depend on the previous step, so it is computed once for T steps.
 *
 * References: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (forget gate); Saitoh, Deep Learning
 * from Scratch 2, section 6.3 (the order of the gates).
 */
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';

/** The order in which the four gates are packed along 4H: forget, candidate, input, output. */
export const GATE_ORDER = ['f', 'g', 'i', 'o'] as const;

export interface LstmCellCache {
  /** [N, 4H], after their nonlinearities */
  readonly gates: tf.Tensor2D;
  /** [N, H], the cell before the step */
  readonly previousCell: tf.Tensor2D;
  /** [N, H], the cell after it */
  readonly cell: tf.Tensor2D;
}

/**
 * @param projected x·Wx + b, [N, 4H]
 * @returns the next hidden and cell, [N, H] each, and the cache for backward; owned by the caller
 */
export function lstmCellForward(
  projected: tf.Tensor2D,
  hidden: tf.Tensor2D,
  cell: tf.Tensor2D,
  wh: tf.Tensor2D,
): { hidden: tf.Tensor2D; cell: tf.Tensor2D; cache: LstmCellCache } {
  const affine = tf.add(projected, matMul(hidden, wh)) as tf.Tensor2D; // [N, 4H]
  const [f, g, i, o] = splitGates(affine).map((gate, index) =>
    index === 1 ? tf.tanh(gate) : tf.sigmoid(gate),
  ) as Gates;
  const nextCell = tf.add(tf.mul(f, cell), tf.mul(g, i)); // [N, H]
  const nextHidden = tf.mul(o, tf.tanh(nextCell)); // [N, H]
  const gates = tf.concat([f, g, i, o], 1) as tf.Tensor2D; // [N, 4H]
  return {
    hidden: nextHidden as tf.Tensor2D,
    cell: nextCell as tf.Tensor2D,
    cache: { gates, previousCell: cell, cell: nextCell as tf.Tensor2D },
  };
}

/**
 * @param dHidden gradient of the hidden state after the step, [N, H]
 * @param dCell gradient of the cell after the step, [N, H]
 * @returns dAffine [N, 4H], from which dWx, dWh, db and dx are computed for all steps at once, and the gradients for the
 *   previous step: dPreviousHidden, dPreviousCell [N, H]
 */
export function lstmCellBackward(
  dHidden: tf.Tensor2D,
  dCell: tf.Tensor2D,
  { gates, previousCell, cell }: LstmCellCache,
  wh: tf.Tensor2D,
): { dAffine: tf.Tensor2D; dPreviousHidden: tf.Tensor2D; dPreviousCell: tf.Tensor2D } {
  const [f, g, i, o] = splitGates(gates);
  const tanhCell = tf.tanh(cell);
  const dNextCell = tf.add(dCell, tf.mul(tf.mul(dHidden, o), derivativeOfTanh(tanhCell))); // [N, H]
  const dAffine = tf.concat(
    [
      tf.mul(tf.mul(dNextCell, previousCell), derivativeOfSigmoid(f)),
      tf.mul(tf.mul(dNextCell, i), derivativeOfTanh(g)),
      tf.mul(tf.mul(dNextCell, g), derivativeOfSigmoid(i)),
      tf.mul(tf.mul(dHidden, tanhCell), derivativeOfSigmoid(o)),
    ],
    1,
  ) as tf.Tensor2D; // [N, 4H]
  return {
    dAffine,
    dPreviousHidden: matMul(dAffine, wh, false, true) as tf.Tensor2D,
    dPreviousCell: tf.mul(dNextCell, f) as tf.Tensor2D,
  };
}

type Gates = [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];

function splitGates(packed: tf.Tensor2D): Gates {
  return tf.split(packed, 4, 1) as Gates;
}

/** σ' from σ. */
function derivativeOfSigmoid(activated: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(activated, tf.sub(1, activated));
}

/** tanh' from tanh. */
function derivativeOfTanh(activated: tf.Tensor2D): tf.Tensor2D {
  return tf.sub(1, tf.square(activated));
}
