import { appError } from '../errors.js';
import { matMul } from '../tensor/mat-mul.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameter.js';

/**
 * One affine map for all time steps: the scores (logits) of all words.
 *
 *     output = x · Wᵀ + b
 *
 * x: [M, H]; W: [V, H]; b: [V]; output: [M, V]. The rows of W are words, so that a tied embedding table is the very
 * same parameter.
 *
 * References: Saitoh, Deep Learning from Scratch 2, section 5.4.2.2; weight tying: Press and Wolf 2017, arXiv 1608.05859.
 */
export class TimeAffine implements Layer {
  readonly name: string;
  readonly weights: Parameter;
  readonly b: Parameter;
  #x: tf.Tensor2D | null = null;

  /** @param weights [V, H] @param b [V] */
  constructor(name: string, weights: Parameter, b: Parameter) {
    expectShape(b.value, [weights.shape[0]!], 'V', `TimeAffine "${name}"`);
    this.name = name;
    this.weights = weights;
    this.b = b;
  }

  get parameters(): readonly Parameter[] {
    return [this.weights, this.b];
  }

  /** @param x [M, H] @returns [M, V] */
  forward(x: tf.Tensor2D, training: boolean): tf.Tensor2D {
    expectShape(x, [x.shape[0], this.weights.shape[1]!], 'M, H', `TimeAffine "${this.name}"`);
    if (training) {
      this.dispose();
      this.#x = tf.keep(x.clone());
    }
    return tf.tidy(() => tf.add(matMul(x, this.weights.value as tf.Tensor2D, false, true), this.b.value));
  }

  /** @param dOutput [M, V] @returns [M, H] */
  backward(dOutput: tf.Tensor2D): tf.Tensor2D {
    const x = this.#x;
    if (!x) throw appError('internal', { reference: `${this.name}: backward before forward` });
    const { dx, dWeights, db } = tf.tidy(() => ({
      dx: matMul(dOutput, this.weights.value as tf.Tensor2D) as tf.Tensor2D, // [M, H]
      dWeights: matMul(dOutput, x, true, false), // [V, H]
      db: tf.sum(dOutput, 0), // [V]
    }));
    this.weights.accumulate(dWeights);
    this.b.accumulate(db);
    this.dispose();
    return dx;
  }

  dispose(): void {
    this.#x?.dispose();
    this.#x = null;
  }
}
