import * as tf from '../tensor/tensorflow.js';
import type { Kernels, RowGradient } from './kernels.js';

/** Reshapes [M, D] or [T, N, D] to [M, D]. */
export function asLines(x: tf.Tensor): tf.Tensor2D {
  return x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape.at(-1)!]);
}

/** Concatenates gradients. */
export function joinRows(gradients: readonly RowGradient[]): RowGradient {
  const [first] = gradients;
  if (first && gradients.length === 1) return first;
  const ids = new Int32Array(gradients.reduce((total, gradient) => total + gradient.ids.length, 0));
  let offset = 0;
  for (const gradient of gradients) {
    ids.set(gradient.ids, offset);
    offset += gradient.ids.length;
  }
  return { ids, rows: tf.concat(gradients.map(({ rows }) => asLines(rows))) };
}

/** The gradient as a dense [V, D] table; owned by the caller. */
export function rowsToTable(kernels: Kernels, gradient: RowGradient, shape: readonly number[]): tf.Tensor {
  const zeros = tf.zeros([...shape]);
  const table = kernels.addRows(zeros, gradient);
  if (table !== zeros) zeros.dispose();
  return table;
}
