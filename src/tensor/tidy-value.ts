import * as tf from '@tensorflow/tfjs-core';

/**
 * tf.tidy for a body whose result has no tensor of its own: tidy looks through what it gives back for tensors to keep, number
 * by number where that is a typed array. Tensors in the result must be kept by the body.
 */
export function tidyValue<Value>(body: () => Value): Value {
  let value!: Value;
  tf.tidy(() => {
    value = body();
  });
  return value;
}
