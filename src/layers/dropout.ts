import { appError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import type { RandomKey, RandomSource } from '../tensor/random.js';
import type * as tf from '../tensor/tensorflow.js';
import type { TensorLayer } from './layer.js';
import type { Parameter } from './parameter.js';

export interface TimeDropoutOptions {
  readonly kernels: Kernels;
  readonly kind: 'standard' | 'variational';
  /** Probability of dropping an element. */
  readonly rate: number;
  readonly random: RandomSource;
}

/**
 * Dropout, standard (a new mask for each time step) or variational (one mask for all time steps of a batch).
 *
 *     output[t] = x[t] ⊙ mask[t] / (1 - p)          variational: mask[t] = mask
 *
 * x, output: [T, N, H]. Identity outside of training. A mask is a function of its key, so the gradient is the
 * same call on dOutput.
 *
 * References: Srivastava et al. 2014; Zaremba et al. 2014, arXiv 1409.2329; Gal and Ghahramani 2016, arXiv 1512.05287;
 * Saitoh, Deep Learning from Scratch 2, section 6.5.2.
 */
export class TimeDropout implements TensorLayer {
  readonly name: string;
  readonly options: TimeDropoutOptions;
  readonly parameters: readonly Parameter[] = [];
  #key: RandomKey | null = null;

  constructor(name: string, options: TimeDropoutOptions) {
    this.name = name;
    this.options = options;
  }

  /** Probability of dropping an element. */
  get rate(): number {
    return this.options.rate;
  }

  forward(x: tf.Tensor3D, training: boolean): tf.Tensor3D {
    if (!training || this.rate === 0) return x.clone();
    this.#key = this.options.random.next();
    return this.#drop(x, this.#key);
  }

  backward(dOutput: tf.Tensor): tf.Tensor {
    if (this.rate === 0) return dOutput.clone();
    const key = this.#key;
    if (!key) throw appError('internal', { reference: `${this.name}: backward before forward` });
    this.#key = null;
    return this.#drop(dOutput, key);
  }

  dispose(): void {
    this.#key = null;
  }

  /** @param x [T, N, ·] */
  #drop(x: tf.Tensor, key: RandomKey): tf.Tensor3D {
    const { kernels, kind, rate } = this.options;
    const period = kind === 'standard' ? x.size : x.size / x.shape[0]!;
    return kernels.dropout({ x, key, rate, period }) as tf.Tensor3D;
  }
}
