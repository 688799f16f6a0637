import { appError } from '../errors.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameter.js';

/**
 * Softmax and cross-entropy for all time steps.
 *
 *     losses[m] = -ln softmax(logits[m])[targets[m]]        in nats
 *     dLogits   = (softmax(logits) - onehot(targets)) · scale
 *
 * logits: [M, V]; targets: [M]; losses: [M]. The scale says what is differentiated: 1 / M for the mean over tokens.
 *
 * Reference: Saitoh, Deep Learning from Scratch 2, section 5.4.2.3.
 */
export class TimeSoftmaxWithLoss implements Layer {
  readonly name: string;
  readonly parameters: readonly Parameter[] = [];
  #cache: { readonly probabilities: tf.Tensor2D; readonly targets: Int32Array } | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** @returns losses [M], nats per token */
  forward(logits: tf.Tensor2D, targets: Int32Array, training: boolean): tf.Tensor1D {
    return tf.tidy(() => {
      const [count, vocabularySize] = logits.shape;
      const logProbabilities = tf.logSoftmax(logits) as tf.Tensor2D; // [M, V]
      const positions = Int32Array.from(targets, (target, m) => m * vocabularySize + target);
      const flat = tf.reshape(logProbabilities, [count * vocabularySize]);
      const losses = tf.neg(tf.gather(flat, tf.tensor1d(positions, 'int32'))) as tf.Tensor1D; // [M]
      if (training) {
        this.dispose();
        this.#cache = { probabilities: tf.keep(tf.exp(logProbabilities)), targets: targets.slice() };
      }
      return losses;
    });
  }

  /** @param scale factor of every token's gradient @returns dLogits [M, V] */
  backward(scale: number): tf.Tensor2D {
    if (!this.#cache) throw appError('internal', { reference: `${this.name}: backward before forward` });
    const { probabilities, targets } = this.#cache;
    const dLogits = tf.tidy(() => {
      const truth = tf.oneHot(tf.tensor1d(targets, 'int32'), probabilities.shape[1]); // [M, V]
      return tf.mul(tf.sub(probabilities, truth), scale) as tf.Tensor2D;
    });
    this.dispose();
    return dLogits;
  }

  dispose(): void {
    this.#cache?.probabilities.dispose();
    this.#cache = null;
  }
}
