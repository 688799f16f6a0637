import { fusedKernels } from '../tensor/backend.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameter.js';
import { TimeAffine } from './time-affine.js';
import { TimeSoftmaxWithLoss } from './time-softmax-with-loss.js';

/**
 * The end of a language model: affine, softmax and cross-entropy. Two layers of the book, run as one native kernel that
 * never holds a second [M, V] tensor, or one after the other where there is no such kernel.
 *
 * x: [M, H]; weights: [V, H]; b: [V]; losses: [M], in nats.
 */
export class SoftmaxOutput implements Layer {
  readonly name: string;
  readonly affine: TimeAffine;
  readonly softmax: TimeSoftmaxWithLoss;
  readonly bfloat16: boolean;

  constructor(name: string, weights: Parameter, b: Parameter, options: { readonly bfloat16: boolean }) {
    this.name = name;
    this.affine = new TimeAffine(`${name}.affine`, weights, b);
    this.softmax = new TimeSoftmaxWithLoss(`${name}.softmax`);
    this.bfloat16 = options.bfloat16;
  }

  get parameters(): readonly Parameter[] {
    return this.affine.parameters;
  }

  /** The losses of given tokens, without a gradient. @param x [M, H] @returns [M] */
  losses(x: tf.Tensor2D, targets: Int32Array): tf.Tensor1D {
    const { weights, b } = this.affine;
    return tf.tidy(() => {
      const kernels = fusedKernels();
      if (!kernels) return this.softmax.forward(this.affine.forward(x, false), targets, false);
      const ids = tf.tensor1d(targets, 'int32');
      const bf16 = this.bfloat16;
      return kernels.softmaxLoss({ h: x, w: weights.value, b: b.value, targets: ids, bf16 }) as tf.Tensor1D;
    });
  }

  /**
   * Forward and backward in one: accumulates the gradients of the parameters.
   * @param scale factor of every token's gradient, such as 1 / M
   * @returns losses [M] and dx [M, H], the caller's
   */
  lossesAndGradient(
    x: tf.Tensor2D,
    targets: Int32Array,
    scale: number,
  ): { losses: tf.Tensor1D; dx: tf.Tensor2D } {
    const { weights, b } = this.affine;
    const kernels = fusedKernels();
    if (!kernels) {
      const logits = this.affine.forward(x, true);
      const losses = this.softmax.forward(logits, targets, true);
      logits.dispose();
      const dLogits = this.softmax.backward(scale);
      const dx = this.affine.backward(dLogits);
      dLogits.dispose();
      return { losses, dx };
    }
    const ids = tf.tensor1d(targets, 'int32');
    const bf16 = this.bfloat16;
    const result = kernels.softmaxLossBackward({
      h: x,
      w: weights.value,
      b: b.value,
      targets: ids,
      scale,
      bf16,
    });
    ids.dispose();
    weights.accumulate(result.dw);
    b.accumulate(result.db);
    return { losses: result.losses as tf.Tensor1D, dx: result.dh as tf.Tensor2D };
  }

  /** Scores of all words. @param x [M, H] @returns [M, V] */
  logits(x: tf.Tensor2D): tf.Tensor2D {
    return this.affine.forward(x, false);
  }

  dispose(): void {
    this.affine.dispose();
    this.softmax.dispose();
  }
}
