import { randomBits, uniform } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';

/** Numbers for a test, uniform in ±range; the same ones for the same seed. */
export function drawn(size: number, seed: number, range = 1): Float32Array {
  return uniform(size, key(seed), -range, range);
}

/** {@link drawn} as a tensor; the caller's. */
export function drawnTensor<Shape extends number[]>(shape: Shape, seed: number, range = 1): tf.Tensor {
  return tf.tensor(
    drawn(
      shape.reduce((product, count) => product * count, 1),
      seed,
      range,
    ),
    shape,
  );
}

/** Integers of 0 … below − 1. */
export function drawnIds(size: number, seed: number, below: number): Int32Array {
  return Int32Array.from(randomBits(size, key(seed)), (bits) => bits % below);
}

function key(seed: number) {
  return { seed, stream: 99, counterLow: 0, counterHigh: 0 };
}
