import * as tf from '@tensorflow/tfjs-core';
import { fusedKernels } from './backend.js';
import { matMul } from './mat-mul.js';
import { tidyValue } from './tidy-value.js';

/** A gradient that touches only some rows of a table: row `ids[m]` gets `rows[m]`. */
export interface RowGradient {
  /** M row numbers. */
  readonly ids: Int32Array;
  /** [M, D] or [T, N, D] */
  readonly rows: tf.Tensor;
  /** No id occurs twice. */
  readonly coalesced?: boolean;
}

/** One gradient without repeated ids, which are summed; ids keep the order of their first appearance. */
export function coalesceRows(gradients: readonly RowGradient[]): RowGradient {
  return tidyValue(() => {
    const ids = concatenateIds(gradients);
    const all = gradients.length === 1 ? gradients[0]!.rows : tf.concat(gradients.map(asLines));
    const kernels = fusedKernels();
    if (kernels) {
      const summed = kernels.coalesceRows({ ids: tf.tensor1d(ids, 'int32'), rows: all });
      return {
        ids: summed.ids.dataSync() as Int32Array,
        rows: tf.keep(summed.rows),
        coalesced: true,
      };
    }
    const segmentOf = new Map<number, number>();
    for (const id of ids) if (!segmentOf.has(id)) segmentOf.set(id, segmentOf.size);
    const segments = Int32Array.from(ids, (id) => segmentOf.get(id)!);
    const depth = Math.max(2, segmentOf.size); // tf.oneHot refuses 1
    const oneHot = tf.oneHot(tf.tensor1d(segments, 'int32'), depth) as tf.Tensor2D;
    const selection = tf.cast(tf.slice(oneHot, [0, 0], [-1, segmentOf.size]), 'float32'); // [M, U]
    const rows = tf.keep(matMul(selection, asLines({ rows: all }), true, false)); // [U, D]
    return { ids: Int32Array.from(segmentOf.keys()), rows, coalesced: true };
  });
}

/** table + the rows, as a tensor of the caller; the table is consumed (the fused kernel adds in place). */
export function addRowsToTable(table: tf.Tensor, gradient: RowGradient): tf.Tensor {
  const kernels = fusedKernels();
  if (kernels) {
    tf.tidy(() => {
      kernels.scatterAddRows({ table, ids: tf.tensor1d(gradient.ids, 'int32'), rows: asLines(gradient) });
    });
    return table;
  }
  const sum = tf.tidy(() => {
    const { ids, rows } = gradient.coalesced ? gradient : coalesceRows([gradient]);
    const scattered = tf.scatterND(
      tf.tensor2d(ids, [ids.length, 1], 'int32'),
      asLines({ rows }),
      table.shape,
    ); // [V, D]
    if (rows !== gradient.rows) rows.dispose();
    return tf.add(table, scattered);
  });
  table.dispose();
  return sum;
}

/** [M, D] of [T, N, D]. */
function asLines({ rows }: Pick<RowGradient, 'rows'>): tf.Tensor2D {
  return rows.rank === 2 ? (rows as tf.Tensor2D) : tf.reshape(rows, [-1, rows.shape.at(-1)!]);
}

function concatenateIds(gradients: readonly RowGradient[]): Int32Array {
  const ids = new Int32Array(gradients.reduce((total, gradient) => total + gradient.ids.length, 0));
  let offset = 0;
  for (const gradient of gradients) {
    ids.set(gradient.ids, offset);
    offset += gradient.ids.length;
  }
  return ids;
}

/** The gradient as a whole [V, D] table, mostly zeros; the caller's. */
export function rowsToTable(gradient: RowGradient, shape: readonly number[]): tf.Tensor {
  return addRowsToTable(tf.zeros([...shape]), gradient);
}
