import type { Kernels } from '../kernels/kernels.js';
import type { Parameter } from '../layers/parameter.js';

/**
 * Joint L2 norm of the accumulated gradients of all parameters. A tied parameter counts once, with the sum of what its
 * readers contributed.
 */
export function gradientNorm(parameters: readonly Parameter[], kernels: Kernels): number {
  const gradients = parameters.map(({ gradient }) =>
    gradient.kind === 'dense' ? gradient.value : gradient.rows.rows,
  );
  return Math.sqrt(kernels.sumSquares(gradients).reduce((total, sum) => total + sum, 0));
}

/** The factor that brings a norm down to `maxNorm` (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063). */
export function clippingScale(norm: number, maxNorm: number | null): number {
  return maxNorm !== null && norm > maxNorm ? maxNorm / norm : 1;
}
