import type { Tensors } from '../kernels/cell.js';
import type { Kernels, PackedOutput } from '../kernels/kernels.js';
import { expectShape } from '../tensor/shapes.js';
import type * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import { PackedWeights } from './packed-weights.js';
import type { Parameter } from './parameter.js';
import { expectTokenIds } from './token-ids.js';

export interface SoftmaxOutputOptions {
  readonly kernels: Kernels;
  /** Compute the large products in bfloat16. */
  readonly bfloat16: boolean;
}

/**
 * The output layer of a language model: affine, softmax and cross-entropy. It combines two layers of the book, time affine and
 * time softmax with loss: a fused kernel never holds a second [M, V] tensor; kernels/composed/output.ts has both separately.
 *
 * x: [M, H] or [T, N, H]; weights: [V, H]; b: [V]; losses: [M], in nats.
 */
export class SoftmaxOutput implements Layer {
  readonly name: string;
  readonly weights: Parameter;
  readonly b: Parameter;
  readonly options: SoftmaxOutputOptions;
  readonly #packed: PackedWeights<Tensors>;

  /** @param weights [V, H] @param b [V] */
  constructor(name: string, weights: Parameter, b: Parameter, options: SoftmaxOutputOptions) {
    expectShape(b.value, [weights.shape[0]!], 'V', `SoftmaxOutput "${name}"`);
    this.name = name;
    this.weights = weights;
    this.b = b;
    this.options = options;
    this.#packed = new PackedWeights([weights], () =>
      options.kernels.packOutput({ w: weights.value, bf16: options.bfloat16 }),
    );
  }

  get parameters(): readonly Parameter[] {
    return [this.weights, this.b];
  }

  /** The losses of given tokens, without a gradient. @returns [M] */
  losses(x: tf.Tensor, targets: Int32Array): tf.Tensor1D {
    this.#expectInput(x, targets);
    return this.options.kernels.losses({ h: x, targets, ...this.packed() });
  }

  /**
   * Forward and backward in one: accumulates the gradients of the parameters.
   * @param scale factor of every token's gradient, such as 1 / M
   * @returns losses [M] and dx in the shape of x, owned by the caller
   */
  lossesAndGradient<T extends tf.Tensor>(
    x: T,
    targets: Int32Array,
    scale: number,
  ): { losses: tf.Tensor1D; dx: T } {
    this.#expectInput(x, targets);
    this.#packed.dispose();
    const { kernels } = this.options;
    const run = kernels.lossesAndGradients({ h: x, targets, scale, ...this.#values() });
    this.weights.accumulate(run.dw);
    this.b.accumulate(run.db);
    return { losses: run.losses, dx: run.dh as T };
  }

  /** The logits of all words. @returns [M, V] */
  logits(x: tf.Tensor): tf.Tensor2D {
    return this.options.kernels.logits({ h: x, ...this.packed() });
  }

  /** The weights for the kernels; borrowed. */
  packed(): PackedOutput {
    return { ...this.#values(), packed: this.#packed.get() };
  }

  dispose(): void {
    this.#packed.dispose();
  }

  #values() {
    return { w: this.weights.value, b: this.b.value, bf16: this.options.bfloat16 };
  }

  #expectInput(x: tf.Tensor, targets: Int32Array): void {
    const where = `SoftmaxOutput "${this.name}"`;
    const [vocabularySize, width] = this.weights.shape as [number, number];
    expectShape(x, [...x.shape.slice(0, -1), width], x.rank === 2 ? 'M, H' : 'T, N, H', where);
    expectTokenIds(targets, x.size / width, vocabularySize, where);
  }
}
