import assert from 'node:assert/strict';
import type { Parameter } from '../../src/layers/parameter.js';
import * as tf from '../../src/tensor/tensorflow.js';

export interface GradientCheckOptions {
  /** Half the distance of the two points of the difference quotient. */
  readonly step?: number;
  /** Largest |numeric − analytic| / max(1, |numeric|, |analytic|). */
  readonly tolerance?: number;
  /** Elements looked at, spread over the tensor. */
  readonly samples?: number;
}

/** float32 losses of size 1 carry an error of about 6e-8; divided by 2·STEP that is 3e-5. */
const STEP = 1e-2;
const TOLERANCE = 5e-4;

/**
 * Compares a gradient with the central difference quotient of a function.
 * @param loss the function of the values, computed anew at each call
 */
export function checkGradient(
  what: string,
  values: Float32Array,
  analytic: ArrayLike<number>,
  loss: (values: Float32Array) => number,
  { step = STEP, tolerance = TOLERANCE, samples = 24 }: GradientCheckOptions = {},
): void {
  assert.equal(analytic.length, values.length, `${what}: number of elements`);
  const stride = Math.max(1, Math.floor(values.length / samples));
  for (let index = 0; index < values.length; index += stride) {
    const moved = (distance: number) => {
      const copy = values.slice();
      copy[index] = copy[index]! + distance;
      return loss(copy);
    };
    const numeric = (moved(step) - moved(-step)) / (2 * step);
    const actual = analytic[index]!;
    const error = Math.abs(numeric - actual) / Math.max(1, Math.abs(numeric), Math.abs(actual));
    assert.ok(
      error <= tolerance,
      `${what}[${index}]: numeric ${numeric}, analytic ${actual}, error ${error}`,
    );
  }
}

/** {@link checkGradient} for the accumulated gradient of a parameter. */
export function checkParameterGradient(
  parameter: Parameter,
  loss: () => number,
  options: GradientCheckOptions = {},
): void {
  const analytic = denseGradient(parameter);
  const original = parameter.value.dataSync().slice() as Float32Array;
  checkGradient(
    parameter.name,
    original,
    analytic,
    (values) => {
      parameter.assign(tf.tensor(values, [...parameter.shape]));
      return loss();
    },
    options,
  );
  parameter.assign(tf.tensor(original, [...parameter.shape]));
}

/** The gradient of a parameter as a dense array, whatever form it has. */
export function denseGradient(parameter: Parameter): Float32Array {
  const gradient = parameter.gradient;
  if (gradient.kind === 'dense') return gradient.value.dataSync().slice() as Float32Array;
  const dense = new Float32Array(parameter.size);
  const width = parameter.shape[1]!;
  const rows = gradient.rows.rows.dataSync();
  gradient.rows.ids.forEach((id, m) => {
    for (let d = 0; d < width; d++) dense[id * width + d]! += rows[m * width + d]!;
  });
  return dense;
}
