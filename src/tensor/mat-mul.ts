import * as tf from '@tensorflow/tfjs-core';

/**
 * The product of two matrices, either of them transposed; the caller's.
 *
 * The WebAssembly backend multiplies fast only what is not transposed, so there the transpose is made first.
 * @param a [M, K], or [K, M] with `transposeA` @param b [K, N], or [N, K] with `transposeB` @returns [M, N]
 */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() => tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b));
}
