import { appError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import { dropoutMask, type RandomSource } from '../tensor/random.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameter.js';
import { expectTokenIds } from './token-ids.js';

export interface TimeEmbeddingOptions {
  readonly kernels: Kernels;
  readonly dropout: WordDropout;
}

/** Dropout of whole words, the same ones for a whole batch. */
export interface WordDropout {
  /** Probability of dropping a word. */
  readonly rate: number;
  readonly random: RandomSource;
}

/**
 * Looks up the embedding vectors of T·N words.
 *
 *     output[t, n] = table[ids[t, n]] · mask[ids[t, n]] / (1 - p)
 *
 * table: [V, D]; ids: [T, N]; output: [T, N, D]. The gradient has at most T·N rows and stays sparse.
 *
 * Reference: Saitoh, Deep Learning from Scratch 2, section 5.4.2.1; whole-word dropout: Gal and Ghahramani 2016,
 * arXiv 1512.05287.
 */
export class TimeEmbedding implements Layer {
  readonly name: string;
  readonly table: Parameter;
  readonly options: TimeEmbeddingOptions;
  #cache: { readonly ids: Int32Array; readonly mask: tf.Tensor3D | null } | null = null;

  /** @param table [V, D] */
  constructor(name: string, table: Parameter, options: TimeEmbeddingOptions) {
    this.name = name;
    this.table = table;
    this.options = options;
  }

  get parameters(): readonly Parameter[] {
    return [this.table];
  }

  /**
   * @param ids T·N token ids, time-major
   * @returns [T, N, D]
   */
  forward(ids: Int32Array, time: number, batchSize: number, training: boolean): tf.Tensor3D {
    const vocabularySize = this.table.shape[0]!;
    expectTokenIds(ids, time * batchSize, vocabularySize, `TimeEmbedding "${this.name}"`);
    return tf.tidy(() => {
      const indices = tf.tensor2d(ids, [time, batchSize], 'int32');
      const rows = this.options.kernels.rows({ table: this.table.value, ids: indices }); // [T, N, D]
      if (!training) return rows as tf.Tensor3D;
      const mask = this.#wordMask(ids, time, batchSize);
      this.dispose();
      this.#cache = { ids: ids.slice(), mask: mask && tf.keep(mask) };
      return (mask ? tf.mul(rows, mask) : rows) as tf.Tensor3D;
    });
  }

  /** @param dOutput [T, N, D]; borrowed */
  backward(dOutput: tf.Tensor3D): void {
    if (!this.#cache) throw appError('internal', { reference: `${this.name}: backward before forward` });
    const { ids, mask } = this.#cache;
    const width = this.table.shape[1]!;
    expectShape(
      dOutput,
      [dOutput.shape[0], dOutput.shape[1], width],
      'T, N, D',
      `TimeEmbedding "${this.name}"`,
    );
    this.table.accumulateRows(this.options.kernels, ids, mask ? tf.mul(dOutput, mask) : dOutput.clone());
    this.dispose();
  }

  dispose(): void {
    this.#cache?.mask?.dispose();
    this.#cache = null;
  }

  #wordMask(ids: Int32Array, time: number, batchSize: number): tf.Tensor3D | null {
    const { rate, random } = this.options.dropout;
    if (rate === 0) return null;
    const words = dropoutMask(this.table.shape[0]!, random.next(), rate); // [V]
    const scales = Float32Array.from(ids, (id) => words[id]!);
    return tf.tensor3d(scales, [time, batchSize, 1]);
  }
}
