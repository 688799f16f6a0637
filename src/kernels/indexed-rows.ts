/** Inputs that many steps share, as the words of a text do. T time, N batch, R distinct inputs, D input. */
import * as tf from '../tensor/tensorflow.js';

/** Each input once: stream n reads rows[indices[t, n]] at step t. What depends on the input alone is computed once for each. */
export type IndexedRows = {
  readonly rows: tf.Tensor2D; // [R, D]
  readonly indices: tf.Tensor2D; // int32 [T, N]
};

/** An input of its own for each step, [T, N, D], or inputs that steps share. */
export type CellSource = tf.Tensor3D | IndexedRows;

export function isIndexed(x: tf.Tensor | IndexedRows): x is IndexedRows {
  return 'indices' in x;
}

/** T, N and D. */
export function sourceShape(x: tf.Tensor | IndexedRows): [time: number, batchSize: number, width: number] {
  return isIndexed(x) ? [...x.indices.shape, x.rows.shape[1]] : (x as tf.Tensor3D).shape;
}

/** [T, N, D] in any case: `x` itself, or a new tensor. */
export function gatherSource(x: CellSource): tf.Tensor3D {
  return isIndexed(x) ? (tf.gather<tf.Tensor>(x.rows, x.indices) as tf.Tensor3D) : x;
}

/** The gradient of a source from that of each step: [R, D] of indexed rows, else `dx` itself. @param dx [T, N, D] */
export function sumSource(x: CellSource, dx: tf.Tensor3D): tf.Tensor {
  if (!isIndexed(x)) return dx;
  const [time, batchSize, width] = dx.shape;
  return tf.tidy(() => {
    const steps = tf.reshape(dx, [time * batchSize, width]);
    return tf.unsortedSegmentSum(steps, tf.reshape(x.indices, [time * batchSize]), x.rows.shape[0]);
  });
}

/** The tensors of a source. */
export function sourceTensors(x: CellSource): tf.Tensor[] {
  return isIndexed(x) ? [x.rows, x.indices] : [x];
}
