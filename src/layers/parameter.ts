import { appError } from '../errors.js';
import type { Gradient, Kernels, RowGradient } from '../kernels/kernels.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';

/**
 * A trainable tensor with its gradient. Gradients are accumulated: a parameter with two uses (tied weights) is one object
 * to which both add. Sole owner of its buffer, so kernels may update it in place.
 */
export class Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  #value: tf.Tensor;
  #dense: tf.Tensor | null = null;
  #rows: RowGradient[] = [];
  /** Kernels that sum the rows. */
  #rowKernels: Kernels | null = null;
  #version = 0;

  /** @param value ownership passes to the parameter */
  constructor(name: string, value: tf.Tensor) {
    this.name = name;
    this.shape = [...value.shape];
    this.#value = tf.keep(value);
  }

  get value(): tf.Tensor {
    return this.#value;
  }

  /** Increases with each change of the value: derived data is stale when this differs. */
  get version(): number {
    return this.#version;
  }

  /** Number of elements. */
  get size(): number {
    return this.#value.size;
  }

  /** Replaces the value; takes ownership. It may be the old tensor, changed in place; otherwise the old one is disposed. */
  assign(value: tf.Tensor): void {
    const old = this.exchange(value);
    if (old !== value) old.dispose();
  }

  /** Replaces the value and returns the old one to the caller, as evaluation with averaged weights does. */
  exchange(value: tf.Tensor): tf.Tensor {
    expectShape(value, this.shape, 'as at creation', `parameter "${this.name}"`);
    const old = this.#value;
    this.#value = tf.keep(value);
    this.#version += 1;
    return old;
  }

  /** Adds a gradient of the parameter's shape; takes ownership. */
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
   * @param gradient rows of equal ids are summed; takes ownership
   */
  accumulateRows(kernels: Kernels, gradient: RowGradient): void {
    this.#rowKernels = kernels;
    tf.keep(gradient.rows);
    this.#rows.push(gradient);
  }

  /** The accumulated gradient; borrowed, valid until {@link clearGradient}. */
  get gradient(): Gradient {
    if (this.#rowKernels && this.#rows.length > 0) this.#settleRows(this.#rowKernels);
    if (this.#dense) return { kind: 'dense', value: this.#dense };
    const rows = this.#rows[0];
    if (rows) return { kind: 'rows', rows };
    throw appError('internal', { reference: `parameter "${this.name}" has no gradient` });
  }

  /** Disposes the gradient. */
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

  /** Combines all gradients into one dense gradient, or one set of rows with distinct ids. */
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
