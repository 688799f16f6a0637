import assert from 'node:assert/strict';
import * as tf from '../../src/tensor/tensorflow.js';

/** Fails when `body` leaves more tensors alive than it found. */
export function expectNoTensorLeak<Result>(body: () => Result): Result {
  const before = tf.memory().numTensors;
  const result = body();
  assert.equal(tf.memory().numTensors - before, 0, 'tensors left alive');
  return result;
}

/** {@link expectNoTensorLeak} for a body that waits. */
export async function expectNoTensorLeakAsync(body: () => Promise<void>): Promise<void> {
  const before = tf.memory().numTensors;
  await body();
  assert.equal(tf.memory().numTensors - before, 0, 'tensors left alive');
}
