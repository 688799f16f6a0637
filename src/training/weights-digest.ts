import { createHash } from 'node:crypto';
import type { Tensor } from '../tensor/tensorflow.js';

/** SHA-256, hexadecimal, over names, shapes and float32 values, in the order of the names. */
export function weightsDigest(weights: ReadonlyMap<string, Tensor>): string {
  return digest(weights, (tensor) => tensor.dataSync() as Float32Array);
}

/** {@link weightsDigest} of weights as plain data. */
export function hostWeightsDigest(
  weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>,
): string {
  return digest(weights, ({ values }) => values);
}

function digest<Weights extends { readonly shape: readonly number[] }>(
  weights: ReadonlyMap<string, Weights>,
  valuesOf: (weights: Weights) => Float32Array,
): string {
  const hash = createHash('sha256');
  for (const [name, tensor] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const values = valuesOf(tensor);
    hash.update(`${name} ${tensor.shape.join('x')}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
