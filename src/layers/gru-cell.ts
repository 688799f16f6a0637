/**
 * One step of a GRU, composed of TensorFlow ops.
 *
 *     a = x·Wx + b_x                     [r, z, n], 3H
 *     c = hidden·Wh                      [r, z, n], 3H
 *     r = σ(a_r + c_r)                   reset
 *     z = σ(a_z + c_z)                   update: the share of the old state that is kept
 *     n = tanh(a_n + r ⊙ (c_n + b_n))    candidate
 *     hidden' = (1 − z) ⊙ n + z ⊙ hidden
 *
 * x: [N, D]; hidden: [N, H]; Wx: [D, 3H]; Wh: [H, 3H]; b: [4H] = b_x [3H] and b_n [H].
 *
 * This is the reset-after form of PyTorch's `nn.GRU` and of cuDNN: the gate r is applied to the product with the recurrent
 * weights, so that one product serves all three gates. The book's appendix C has the original form, reset-before
 * (n = tanh(a_n + (r ⊙ hidden)·Wh_n)), and exchanges z and 1 − z.
 *
 * References: Cho et al. 2014, arXiv 1406.1078; Saitoh, Deep Learning from Scratch 2, appendix C.
 */
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';

/** The order in which the gates are packed along 3H: reset, update, candidate. */
export const GRU_GATE_ORDER = ['r', 'z', 'n'] as const;

export interface GruCellCache {
  /** [N, 4H]: r, z and n after their nonlinearities, and c_n + b_n, to which r is applied */
  readonly gates: tf.Tensor2D;
  /** [N, H], before the step */
  readonly previousHidden: tf.Tensor2D;
}

/**
 * @param projected x·Wx + b_x, [N, 3H] @param bias b_n, [H]
 * @returns the next hidden [N, H] and the cache for backward; owned by the caller
 */
export function gruCellForward(
  projected: tf.Tensor2D,
  hidden: tf.Tensor2D,
  wh: tf.Tensor2D,
  bias: tf.Tensor,
): { hidden: tf.Tensor2D; cache: GruCellCache } {
  const [aR, aZ, aN] = tf.split(projected, 3, 1) as Three;
  const [cR, cZ, cN] = tf.split(matMul(hidden, wh), 3, 1) as Three;
  const r = tf.sigmoid(tf.add(aR, cR));
  const z = tf.sigmoid(tf.add(aZ, cZ));
  const recurrent = tf.add(cN, bias);
  const n = tf.tanh(tf.add(aN, tf.mul(r, recurrent)));
  return {
    hidden: tf.add(n, tf.mul(z, tf.sub(hidden, n))),
    cache: { gates: tf.concat([r, z, n, recurrent], 1) as tf.Tensor2D, previousHidden: hidden },
  };
}

/**
 * @param dHidden gradient of the hidden state after the step, [N, H]
 * @returns dInput and dRecurrent [N, 3H], the gradients of a and of c, from which those of x and of the weights are computed
 *   for all steps at once, and the gradient for the previous step, dPreviousHidden [N, H]
 */
export function gruCellBackward(
  dHidden: tf.Tensor2D,
  { gates, previousHidden }: GruCellCache,
  wh: tf.Tensor2D,
): { dInput: tf.Tensor2D; dRecurrent: tf.Tensor2D; dPreviousHidden: tf.Tensor2D } {
  const [r, z, n, recurrent] = tf.split(gates, 4, 1) as [...Three, tf.Tensor2D];
  const dN = tf.mul(tf.mul(dHidden, tf.sub(1, z)), tf.sub(1, tf.square(n)));
  const dR = tf.mul(tf.mul(dN, recurrent), tf.mul(r, tf.sub(1, r)));
  const dZ = tf.mul(tf.mul(dHidden, tf.sub(previousHidden, n)), tf.mul(z, tf.sub(1, z)));
  const dRecurrent = tf.concat([dR, dZ, tf.mul(dN, r)], 1) as tf.Tensor2D;
  return {
    dInput: tf.concat([dR, dZ, dN], 1) as tf.Tensor2D,
    dRecurrent,
    dPreviousHidden: tf.add(tf.mul(dHidden, z), matMul(dRecurrent, wh, false, true)),
  };
}

type Three = [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
