import { appError } from '../errors.js';
import { addRowsToTable, coalesceRows, type RowGradient } from '../tensor/row-gradient.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';

/** The gradient of a parameter: all of it, or only the rows that were read (an embedding table's). */
export type Gradient =
  | { readonly kind: 'dense'; readonly value: tf.Tensor }
  | { readonly kind: 'rows'; readonly rows: RowGradient };

/**
 * A tensor that is learned, and its gradient. Gradients are accumulated: a parameter with two readers (tied weights) is
 * one object that both add to. Owns its buffer alone, so kernels may update it in place.
 */
export class Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  #value: tf.Tensor;
  #dense: tf.Tensor | null = null;
  #rows: RowGradient[] = [];
  #version = 0;

  /** @param value becomes the parameter's own */
  constructor(name: string, value: tf.Tensor) {
    this.name = name;
    this.shape = [...value.shape];
    this.#value = tf.keep(value);
  }

  get value(): tf.Tensor {
    return this.#value;
  }

  /** Grows with each change of the value: what was made of the value is stale when this differs. */
  get version(): number {
    return this.#version;
  }

  /** Says that a kernel has changed the value in place. */
  markChanged(): void {
    this.#version += 1;
  }

  /** Number of elements. */
  get size(): number {
    return this.#value.size;
  }

  /** Replaces the value, which becomes the parameter's own; the old one is disposed. */
  assign(value: tf.Tensor): void {
    const old = this.exchange(value);
    old.dispose();
  }

  /** Replaces the value and gives the old one to the caller: how evaluation borrows averaged weights. */
  exchange(value: tf.Tensor): tf.Tensor {
    expectShape(value, this.shape, 'as at creation', `parameter "${this.name}"`);
    const old = this.#value;
    this.#value = tf.keep(value);
    this.#version += 1;
    return old;
  }

  /** Adds a gradient of the parameter's shape, which becomes the parameter's own. */
  accumulate(gradient: tf.Tensor): void {
    expectShape(gradient, this.shape, 'as the value', `the gradient of parameter "${this.name}"`);
    if (!this.#dense) {
      this.#dense = tf.keep(gradient);
      return;
    }
    const sum = tf.keep(tf.add(this.#dense, gradient));
    this.#dense.dispose();
    gradient.dispose();
    this.#dense = sum;
  }

  /**
   * Adds a gradient that touches only some rows of a [V, D] table.
   * @param ids M row numbers, repeated ones are summed
   * @param rows [M, D] or [T, N, D], becomes the parameter's own
   */
  accumulateRows(ids: Int32Array, rows: tf.Tensor): void {
    this.#rows.push({ ids, rows: tf.keep(rows) });
  }

  /** The sum of what was accumulated; borrowed, valid until {@link clearGradient}. */
  get gradient(): Gradient {
    if (this.#rows.length > 0) this.#settleRows();
    if (this.#dense) return { kind: 'dense', value: this.#dense };
    const rows = this.#rows[0];
    if (rows) return { kind: 'rows', rows };
    throw appError('internal', { reference: `parameter "${this.name}" has no gradient` });
  }

  /** Frees the gradient. */
  clearGradient(): void {
    this.#dense?.dispose();
    this.#dense = null;
    for (const { rows } of this.#rows) rows.dispose();
    this.#rows = [];
  }

  dispose(): void {
    this.clearGradient();
    this.#value.dispose();
  }

  /** Leaves either one dense gradient or one set of rows without repetition. */
  #settleRows(): void {
    if (this.#rows.length === 1 && this.#rows[0]!.coalesced && !this.#dense) return;
    if (this.#dense) {
      for (const rows of this.#rows) {
        this.#dense = tf.keep(addRowsToTable(this.#dense, rows));
        rows.rows.dispose();
      }
      this.#rows = [];
    } else {
      const coalesced = coalesceRows(this.#rows);
      for (const { rows } of this.#rows) rows.dispose();
      this.#rows = [coalesced];
    }
  }
}
