import { appError } from '../errors.js';
import type { Gradient, Kernels, RowGradient } from '../kernels/kernels.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';

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
  /** They sum the rows. */
  #rowKernels: Kernels | null = null;
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

  /** Number of elements. */
  get size(): number {
    return this.#value.size;
  }

  /** Replaces the value, which becomes the parameter's own, and may be the old one, changed in place; else that is disposed. */
  assign(value: tf.Tensor): void {
    const old = this.exchange(value);
    if (old !== value) old.dispose();
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
   * @param kernels sum the rows
   * @param ids M row numbers, repeated ones are summed
   * @param rows [M, D] or [T, N, D], becomes the parameter's own
   */
  accumulateRows(kernels: Kernels, ids: Int32Array, rows: tf.Tensor): void {
    this.#rowKernels = kernels;
    this.#rows.push({ ids, rows: tf.keep(rows) });
  }

  /** The sum of what was accumulated; borrowed, valid until {@link clearGradient}. */
  get gradient(): Gradient {
    if (this.#rowKernels && this.#rows.length > 0) this.#settleRows(this.#rowKernels);
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
  #settleRows(kernels: Kernels): void {
    if (this.#rows.length === 1 && this.#rows[0]!.coalesced && !this.#dense) return;
    if (this.#dense) {
      for (const rows of this.#rows) {
        const before: tf.Tensor = this.#dense;
        this.#dense = tf.keep(kernels.addRows(before, rows));
        if (this.#dense !== before) before.dispose();
        rows.rows.dispose();
      }
      this.#rows = [];
    } else {
      const coalesced = kernels.coalesceRows(this.#rows);
      for (const { rows } of this.#rows) rows.dispose();
      this.#rows = [coalesced];
    }
  }
}
