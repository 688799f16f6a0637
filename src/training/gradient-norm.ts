import type { Parameter } from '../layers/parameter.js';
import { fusedKernels } from '../tensor/backend.js';
import * as tf from '../tensor/tensorflow.js';

/**
 * Joint L2 norm of the accumulated gradients of all parameters. A tied parameter counts once, with the sum of what its
 * readers contributed.
 */
export function gradientNorm(parameters: readonly Parameter[]): number {
  let total = 0;
  for (const parameter of parameters) {
    const gradient = parameter.gradient;
    total += sumOfSquares(gradient.kind === 'dense' ? gradient.value : gradient.rows.rows);
  }
  return Math.sqrt(total);
}

/** The factor that brings a norm down to `maxNorm` (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063). */
export function clippingScale(norm: number, maxNorm: number | null): number {
  return maxNorm !== null && norm > maxNorm ? maxNorm / norm : 1;
}

function sumOfSquares(tensor: tf.Tensor): number {
  return tf.tidy(() => {
    const kernels = fusedKernels();
    const sum = kernels ? kernels.sumSquares(tensor) : tf.sum(tf.square(tensor));
    return sum.dataSync()[0]!;
  });
}
