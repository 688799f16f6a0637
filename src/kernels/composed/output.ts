/**
 * The output layer as two layers of the book, affine and softmax with loss, forward and backward side by side.
 * h: [M, H]; w: [V, H]; b: [V]; logits: [M, V]; targets: [M]; losses: [M], in nats.
 */
import { matMul } from '../../tensor/mat-mul.js';
import * as tf from '../../tensor/tensorflow.js';
import type { OutputGradients, OutputTargets, OutputWeights } from '../kernels.js';
import { asLines } from '../row-gradient.js';

/**
 * The logits of all words.
 *
 *     logits = h · wᵀ + b
 *
 * The rows of w are words, so a tied embedding table is the same tensor.
 *
 * References: Saitoh, Deep Learning from Scratch 2, section 5.4.2.2; weight tying: Press and Wolf 2017, arXiv 1608.05859.
 */
export function affineForward(h: tf.Tensor2D, w: tf.Tensor, b: tf.Tensor): tf.Tensor2D {
  return tf.tidy(() => tf.add(matMul(h, w as tf.Tensor2D, false, true), b));
}

/** @param dLogits [M, V] */
export function affineBackward(dLogits: tf.Tensor2D, h: tf.Tensor2D, w: tf.Tensor) {
  return tf.tidy(() => ({
    dh: matMul(dLogits, w as tf.Tensor2D), // [M, H]
    dw: matMul(dLogits, h, true, false), // [V, H]
    db: tf.sum(dLogits, 0), // [V]
  }));
}

/**
 * Softmax and cross-entropy.
 *
 *     losses[m] = -ln softmax(logits[m])[targets[m]]
 *
 * Reference: Saitoh, Deep Learning from Scratch 2, section 5.4.2.3.
 */
export function lossesOf(logits: tf.Tensor2D, targets: Int32Array) {
  return tf.tidy(() => {
    const [count, vocabularySize] = logits.shape;
    const logProbabilities = tf.logSoftmax(logits) as tf.Tensor2D; // [M, V]
    const positions = Int32Array.from(targets, (target, m) => m * vocabularySize + target);
    const flat = tf.reshape(logProbabilities, [count * vocabularySize]);
    const losses = tf.neg(tf.gather(flat, tf.tensor1d(positions, 'int32'))) as tf.Tensor1D; // [M]
    return { losses, logProbabilities };
  });
}

/**
 * The gradient of Σ losses · scale with respect to the logits.
 *
 *     dLogits = (softmax(logits) - onehot(targets)) · scale
 */
export function lossBackward(logProbabilities: tf.Tensor2D, targets: Int32Array, scale: number): tf.Tensor2D {
  return tf.tidy(() => {
    const truth = tf.oneHot(tf.tensor1d(targets, 'int32'), logProbabilities.shape[1]); // [M, V]
    return tf.mul(tf.sub(tf.exp(logProbabilities), truth), scale) as tf.Tensor2D;
  });
}

/** Losses and gradients of both layers. */
export function outputGradients({
  h,
  w,
  b,
  targets,
  scale,
}: OutputWeights & OutputTargets & { readonly scale: number }): OutputGradients {
  return tf.tidy(() => {
    const lines = asLines(h);
    const logits = affineForward(lines, w, b);
    const { losses, logProbabilities } = lossesOf(logits, targets);
    logits.dispose(); // [M, V] is the largest tensor: at most two exist at once
    const dLogits = lossBackward(logProbabilities, targets, scale);
    logProbabilities.dispose();
    const { dh, dw, db } = affineBackward(dLogits, lines, w);
    return { losses, dh: tf.reshape(dh, h.shape), dw, db };
  });
}
