import type { Tensor } from '@tensorflow/tfjs-core';
import { appError } from '../errors.js';

/**
 * Refuses a tensor of another shape.
 * @param legend the dimension letters, such as `T, N, D`
 * @param where the layer and its name, such as `TimeLstm "lstm1"`
 * @throws shape-mismatch
 */
export function expectShape(
  tensor: Tensor,
  expected: readonly number[],
  legend: string,
  where: string,
): void {
  const { shape } = tensor;
  if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) return;
  throw appError('shape-mismatch', {
    expected: `[${expected.join(', ')}] (${legend})`,
    actual: `[${shape.join(', ')}]`,
    where,
  });
}
