import type { Parameter } from '../layers/parameter.js';
import { fusedKernels } from '../tensor/backend.js';
import * as tf from '../tensor/tensorflow.js';
import { tidyValue } from '../tensor/tidy-value.js';

/**
 * Joint L2 norm of the accumulated gradients of all parameters. A tied parameter counts once, with the sum of what its
 * readers contributed.
 */
export function gradientNorm(parameters: readonly Parameter[]): number {
  const gradients = parameters.map(({ gradient }) =>
    gradient.kind === 'dense' ? gradient.value : gradient.rows.rows,
  );
  return Math.sqrt(sumsOfSquares(gradients).reduce((total, sum) => total + sum, 0));
}

/** The factor that brings a norm down to `maxNorm` (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063). */
export function clippingScale(norm: number, maxNorm: number | null): number {
  return maxNorm !== null && norm > maxNorm ? maxNorm / norm : 1;
}

function sumsOfSquares(tensors: readonly tf.Tensor[]): Float32Array {
  return tidyValue(() => {
    const kernels = fusedKernels();
    const sums = kernels
      ? kernels.sumSquares(tensors)
      : tf.stack(tensors.map((tensor) => tf.sum(tf.square(tensor))));
    return sums.dataSync<'float32'>();
  });
}
