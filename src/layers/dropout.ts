import { appError } from '../errors.js';
import { fusedKernels } from '../tensor/backend.js';
import { dropoutMask, type RandomKey, type RandomSource } from '../tensor/random.js';
import * as tf from '../tensor/tensorflow.js';
import type { TensorLayer } from './layer.js';
import type { Parameter } from './parameter.js';

/**
 * x ⊙ mask, where the mask is 0 with probability `rate`, else 1 / (1 - rate). The mask is a function of the key, so the
 * gradient is the same call on dOutput.
 * @param period elements after which the mask repeats; default: the size of x, so that it does not
 * @returns a tensor of x's shape, the caller's
 */
export function drop<T extends tf.Tensor>(x: T, rate: number, key: RandomKey, period = x.size): T {
  const kernels = fusedKernels();
  if (kernels) {
    const { seed, stream, counterLow, counterHigh } = key;
    return kernels.dropout({
      x,
      key: [seed, stream, counterLow, counterHigh],
      rate,
      period,
    }) as T;
  }
  return tf.tidy(() => {
    const mask = tf.tensor(dropoutMask(period, key, rate)); // [period]
    return tf.reshape(tf.mul(tf.reshape(x, [-1, period]), mask), x.shape) as T;
  });
}

/**
 * Dropout, standard (a new mask for each time step) or variational (one mask for all time steps of a batch).
 *
 *     output[t] = x[t] ⊙ mask[t] / (1 - p)          variational: mask[t] = mask
 *
 * x, output: [T, N, H]. Outside of training it does nothing.
 *
 * References: Srivastava et al. 2014; Zaremba et al. 2014, arXiv 1409.2329; Gal and Ghahramani 2016, arXiv 1512.05287;
 * Saitoh, Deep Learning from Scratch 2, section 6.5.2.
 */
export class TimeDropout implements TensorLayer {
  readonly name: string;
  readonly rate: number;
  readonly kind: 'standard' | 'variational';
  readonly random: RandomSource;
  readonly parameters: readonly Parameter[] = [];
  #key: RandomKey | null = null;

  constructor(name: string, kind: 'standard' | 'variational', rate: number, random: RandomSource) {
    this.name = name;
    this.kind = kind;
    this.rate = rate;
    this.random = random;
  }

  forward(x: tf.Tensor3D, training: boolean): tf.Tensor3D {
    if (!training || this.rate === 0) return x.clone();
    this.#key = this.random.next();
    return drop(x, this.rate, this.#key, this.#period(x));
  }

  backward(dOutput: tf.Tensor3D): tf.Tensor3D {
    if (this.rate === 0) return dOutput.clone();
    const key = this.#key;
    if (!key) throw appError('internal', { reference: `${this.name}: backward before forward` });
    this.#key = null;
    return drop(dOutput, this.rate, key, this.#period(dOutput));
  }

  dispose(): void {
    this.#key = null;
  }

  #period(x: tf.Tensor3D): number {
    return this.kind === 'standard' ? x.size : x.size / x.shape[0];
  }
}
