/** Sums of table rows by one-hot products. M gradient rows, U of them distinct; table: [V, D]. */
import { matMul } from '../../tensor/mat-mul.js';
import * as tf from '../../tensor/tensorflow.js';
import { tidyValue } from '../../tensor/tidy-value.js';
import type { RowGradient } from '../kernels.js';
import { asLines, joinRows } from '../row-gradient.js';

export function coalesceRows(gradients: readonly RowGradient[]): RowGradient {
  return tidyValue(() => {
    const { ids, rows: all } = joinRows(gradients);
    const segmentOf = new Map<number, number>();
    for (const id of ids) if (!segmentOf.has(id)) segmentOf.set(id, segmentOf.size);
    const segments = Int32Array.from(ids, (id) => segmentOf.get(id)!);
    const depth = Math.max(2, segmentOf.size); // tf.oneHot refuses 1
    const oneHot = tf.oneHot(tf.tensor1d(segments, 'int32'), depth) as tf.Tensor2D;
    const selection = tf.cast(tf.slice(oneHot, [0, 0], [-1, segmentOf.size]), 'float32'); // [M, U]
    const rows = tf.keep(matMul(selection, asLines(all), true, false)); // [U, D]
    return { ids: Int32Array.from(segmentOf.keys()), rows, coalesced: true };
  });
}

export function addRows(table: tf.Tensor, gradient: RowGradient, factor: number): tf.Tensor {
  return tf.tidy(() => {
    const scaled = factor === 1 ? gradient : { ...gradient, rows: tf.mul(gradient.rows, factor) };
    const { ids, rows } = scaled.coalesced ? scaled : coalesceRows([scaled]);
    const indices = tf.tensor2d(ids, [ids.length, 1], 'int32');
    const scattered = tf.scatterND(indices, asLines(rows), table.shape); // [V, D]
    if (rows !== scaled.rows) rows.dispose();
    return tf.add(table, scattered);
  });
}
