/**
 * The rounds of a Mogrifier: before each step of an LSTM, its input and its hidden state gate each other in turn.
 *
 *     x¹ = 2σ(h·q1) ⊙ x        h² = 2σ(x¹·q2) ⊙ h        x³ = 2σ(h²·q3) ⊙ x¹        …
 *
 * Odd rounds change x [N, D], even ones h [N, H]; q_i is [H, D] in an odd round, [D, H] in an even one, or of low rank, the
 * product of q_i_down [·, K] and q_i_up [K, ·]. Without rounds it is an LSTM.
 *
 * Reference: Melis, Kočiský and Blunsom 2020, "Mogrifier LSTM", arXiv 1909.01792, section 2.
 */
import type { RoundWeights } from '../kernels/mogrifier-rounds.js';
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';

/** Whether a round, counted from 1, changes x; otherwise it changes h. */
export function changesInput(round: number): boolean {
  return round % 2 === 1;
}

/** @returns x and h after all rounds, and σ of each round, in the shape of what it changed */
export function mogrify(
  x: tf.Tensor2D,
  hidden: tf.Tensor2D,
  rounds: readonly RoundWeights[],
): { x: tf.Tensor2D; hidden: tf.Tensor2D; gates: tf.Tensor2D[] } {
  const now = { x, hidden };
  const gates = rounds.map((weights, index) => {
    const isInput = changesInput(index + 1);
    const gate = tf.sigmoid(multiply(isInput ? now.hidden : now.x, weights)) as tf.Tensor2D;
    if (isInput) now.x = modulate(now.x, gate);
    else now.hidden = modulate(now.hidden, gate);
    return gate;
  });
  return { ...now, gates };
}

/** 2 · gate ⊙ value */
export function modulate<T extends tf.Tensor>(value: T, gate: T): T {
  return tf.mul(tf.mul(value, gate), 2);
}

/** The inputs of a round: its source, from which the gate is computed, and its target, which the gate changes. */
export interface RoundInputs<T extends tf.Tensor> {
  readonly source: T;
  readonly target: T;
}

/** Recomputes the inputs of all rounds from the gates alone; for one step, or for all steps at once. */
export function replayRounds<T extends tf.Tensor>(
  x: T,
  hidden: T,
  gates: readonly T[],
): { inputs: RoundInputs<T>[]; x: T; hidden: T } {
  const now = { x, hidden };
  const inputs = gates.map((gate, index): RoundInputs<T> => {
    const isInput = changesInput(index + 1);
    const before = isInput ? { source: now.hidden, target: now.x } : { source: now.x, target: now.hidden };
    const changed = modulate(before.target, gate);
    if (isInput) now.x = changed;
    else now.hidden = changed;
    return before;
  });
  return { inputs, ...now };
}

/**
 * @param dX gradient of x after all rounds @param dHidden likewise
 * @param gates of each round @param targets the target of each round before its gate
 * @returns the gradients of x and h before the rounds, and of each round's product before σ
 */
export function mogrifyBackward(
  dX: tf.Tensor2D,
  dHidden: tf.Tensor2D,
  rounds: readonly RoundWeights[],
  gates: readonly tf.Tensor2D[],
  targets: readonly tf.Tensor2D[],
): { dX: tf.Tensor2D; dHidden: tf.Tensor2D; dProducts: tf.Tensor2D[] } {
  const now: { dX: tf.Tensor2D; dHidden: tf.Tensor2D } = { dX, dHidden };
  const dProducts: tf.Tensor2D[] = [];
  for (let index = rounds.length - 1; index >= 0; index--) {
    const [gate, weights] = [gates[index]!, rounds[index]!];
    const isInput = changesInput(index + 1);
    const dChanged = isInput ? now.dX : now.dHidden;
    const dTarget = modulate(dChanged, gate);
    const dProduct: tf.Tensor2D = tf.mul(tf.mul(dTarget, targets[index]!), tf.sub(1, gate)); // 2·d ⊙ target ⊙ σ(1 − σ)
    dProducts.unshift(dProduct);
    const dSource = multiplyTransposed(dProduct, weights);
    if (isInput) {
      now.dX = dTarget;
      now.dHidden = tf.add(now.dHidden, dSource);
    } else {
      now.dHidden = dTarget;
      now.dX = tf.add(now.dX, dSource);
    }
  }
  return { ...now, dProducts };
}

/** The gradients of a round's weights, by the suffixes of their names. @param source [M, ·] @param dProduct [M, ·] */
export function roundGradients(source: tf.Tensor2D, dProduct: tf.Tensor2D, weights: RoundWeights) {
  if ('whole' in weights) return { '': matMul(source, dProduct, true, false) };
  return {
    _down: matMul(source, matMul(dProduct, weights.up, false, true), true, false),
    _up: matMul(matMul(source, weights.down), dProduct, true, false),
  };
}

function multiply(source: tf.Tensor2D, weights: RoundWeights): tf.Tensor2D {
  return 'whole' in weights
    ? matMul(source, weights.whole)
    : matMul(matMul(source, weights.down), weights.up);
}

function multiplyTransposed(dProduct: tf.Tensor2D, weights: RoundWeights): tf.Tensor2D {
  return 'whole' in weights
    ? matMul(dProduct, weights.whole, false, true)
    : matMul(matMul(dProduct, weights.up, false, true), weights.down, false, true);
}
