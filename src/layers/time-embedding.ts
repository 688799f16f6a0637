import { appError } from '../errors.js';
import type { CellSource } from '../kernels/indexed-rows.js';
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

/** The share of the T·N words up to which distinct ones are looked up once; above it there is little to save. */
const MOST_DISTINCT = 0.75;

/** What backward needs of forward: the words of the output's rows, and their masks. */
interface LookedUp {
  readonly ids: Int32Array;
  readonly mask: tf.Tensor | null;
  readonly distinct: boolean;
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
  #cache: LookedUp | null = null;

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
    this.#expectIds(ids, time, batchSize);
    return this.#lookUp(ids, [time, batchSize], training) as tf.Tensor3D;
  }

  /**
   * {@link forward}, where words repeat with each distinct word looked up once.
   * @param ids T·N token ids, time-major
   * @returns [T, N, D], or a row for each distinct word in the order of their first appearance
   */
  forwardShared(ids: Int32Array, time: number, batchSize: number, training: boolean): CellSource {
    this.#expectIds(ids, time, batchSize);
    const { distinct, indices } = listDistinct(ids, this.table.shape[0]!);
    if (distinct.length > MOST_DISTINCT * ids.length)
      return this.#lookUp(ids, [time, batchSize], training) as tf.Tensor3D;
    return {
      rows: this.#lookUp(distinct, [distinct.length], training, true) as tf.Tensor2D,
      indices: tf.tensor2d(indices, [time, batchSize], 'int32'),
    };
  }

  /** @param dOutput as the output: [T, N, D], or [R, D] of distinct words; borrowed */
  backward(dOutput: tf.Tensor): void {
    if (!this.#cache) throw appError('internal', { reference: `${this.name}: backward before forward` });
    const { ids, mask, distinct } = this.#cache;
    const [width, where] = [this.table.shape[1]!, `TimeEmbedding "${this.name}"`];
    if (distinct) expectShape(dOutput, [ids.length, width], 'R, D', where);
    else expectShape(dOutput, [dOutput.shape[0]!, dOutput.shape[1]!, width], 'T, N, D', where);
    const rows = mask ? tf.mul(dOutput, mask) : dOutput.clone();
    this.table.accumulateRows(this.options.kernels, { ids, rows, coalesced: distinct });
    this.dispose();
  }

  dispose(): void {
    this.#cache?.mask?.dispose();
    this.#cache = null;
  }

  #expectIds(ids: Int32Array, time: number, batchSize: number): void {
    expectTokenIds(ids, time * batchSize, this.table.shape[0]!, `TimeEmbedding "${this.name}"`);
  }

  /** The vectors of the words of `shape`. */
  #lookUp(ids: Int32Array, shape: number[], training: boolean, distinct = false): tf.Tensor {
    return tf.tidy(() => {
      const rows = this.options.kernels.rows({
        table: this.table.value,
        ids: tf.tensor(ids, shape, 'int32'),
      });
      if (!training) return rows;
      const mask = this.#wordMask(ids, shape);
      this.dispose();
      this.#cache = { ids: ids.slice(), mask: mask && tf.keep(mask), distinct };
      return mask ? tf.mul(rows, mask) : rows;
    });
  }

  #wordMask(ids: Int32Array, shape: number[]): tf.Tensor | null {
    const { rate, random } = this.options.dropout;
    if (rate === 0) return null;
    const words = dropoutMask(this.table.shape[0]!, random.next(), rate); // [V]
    const scales = Float32Array.from(ids, (id) => words[id]!);
    return tf.tensor(scales, [...shape, 1]);
  }
}

/** The distinct ids in the order of their first appearance, and for each id its place among them. */
function listDistinct(ids: Int32Array, vocabularySize: number) {
  const places = new Int32Array(vocabularySize); // counted from 1
  const distinct: number[] = [];
  const indices = ids.map((id) => {
    if (places[id] === 0) places[id] = distinct.push(id);
    return places[id]! - 1;
  });
  return { distinct: Int32Array.from(distinct), indices };
}
