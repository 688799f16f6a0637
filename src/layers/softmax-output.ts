import { fusedKernels } from '../tensor/backend.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import { PackedWeights } from './packed-weights.js';
import type { Parameter } from './parameter.js';
import { TimeAffine } from './time-affine.js';
import { TimeSoftmaxWithLoss } from './time-softmax-with-loss.js';
import { expectTokenIds } from './token-ids.js';

/**
 * The end of a language model: affine, softmax and cross-entropy. Two layers of the book, run as one native kernel that
 * never holds a second [M, V] tensor, or one after the other where there is no such kernel.
 *
 * x: [M, H] or [T, N, H]; weights: [V, H]; b: [V]; losses: [M], in nats.
 */
export class SoftmaxOutput implements Layer {
  readonly name: string;
  readonly affine: TimeAffine;
  readonly softmax: TimeSoftmaxWithLoss;
  readonly bfloat16: boolean;
  readonly #packed: PackedWeights<{ packed: tf.Tensor }>;

  constructor(name: string, weights: Parameter, b: Parameter, options: { readonly bfloat16: boolean }) {
    this.name = name;
    this.affine = new TimeAffine(`${name}.affine`, weights, b);
    this.softmax = new TimeSoftmaxWithLoss(`${name}.softmax`);
    this.bfloat16 = options.bfloat16;
    this.#packed = new PackedWeights([weights], () => ({
      packed: fusedKernels()!.packOutput({ w: weights.value, bf16: options.bfloat16 }),
    }));
  }

  get parameters(): readonly Parameter[] {
    return this.affine.parameters;
  }

  /** The losses of given tokens, without a gradient. @returns [M] */
  losses(x: tf.Tensor, targets: Int32Array): tf.Tensor1D {
    this.#expectTargets(x, targets);
    return tf.tidy(() => {
      const kernels = fusedKernels();
      if (!kernels) return this.softmax.forward(this.affine.forward(asLines(x), false), targets, false);
      const ids = tf.tensor1d(targets, 'int32');
      return kernels.softmaxLossPacked({ ...this.#packedInput(x), targets: ids }) as tf.Tensor1D;
    });
  }

  /**
   * Forward and backward in one: accumulates the gradients of the parameters.
   * @param scale factor of every token's gradient, such as 1 / M
   * @returns losses [M] and dx in the shape of x, the caller's
   */
  lossesAndGradient<T extends tf.Tensor>(
    x: T,
    targets: Int32Array,
    scale: number,
  ): { losses: tf.Tensor1D; dx: T } {
    this.#expectTargets(x, targets);
    const { weights, b } = this.affine;
    this.#packed.dispose();
    const kernels = fusedKernels();
    if (!kernels)
      return tf.tidy(() => {
        const logits = this.affine.forward(asLines(x), true); // [M, V]
        const losses = this.softmax.forward(logits, targets, true);
        logits.dispose();
        const dx = this.affine.backward(this.softmax.backward(scale));
        return { losses, dx: tf.reshape(dx, x.shape) as T };
      });
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
    return { losses: result.losses as tf.Tensor1D, dx: result.dh as T };
  }

  /** Scores of all words. @returns [M, V] */
  logits(x: tf.Tensor): tf.Tensor2D {
    const kernels = fusedKernels();
    if (kernels) return kernels.logitsPacked(this.#packedInput(x)) as tf.Tensor2D;
    return tf.tidy(() => this.affine.forward(asLines(x), false));
  }

  /** What the kernel of a whole step wants of this layer; borrowed. */
  packed(): { readonly packed: tf.Tensor; readonly b: tf.Tensor } {
    return { ...this.#packed.get(), b: this.affine.b.value };
  }

  #expectTargets(x: tf.Tensor, targets: Int32Array): void {
    expectTokenIds(targets, x.size / x.shape.at(-1)!, this.affine.b.size, `SoftmaxOutput "${this.name}"`);
  }

  #packedInput(x: tf.Tensor) {
    return { h: x, ...this.packed(), bf16: this.bfloat16 };
  }

  dispose(): void {
    this.#packed.dispose();
    this.affine.dispose();
    this.softmax.dispose();
  }
}

/** [M, H] of [T, N, H]. */
function asLines(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}
