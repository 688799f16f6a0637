import * as tf from '../tensor/tensorflow.js';
import type { HostTensor } from './safetensors.js';

/** Copies tensors out of TensorFlow. */
export function toHostTensors(tensors: ReadonlyMap<string, tf.Tensor>): Map<string, HostTensor> {
  return new Map(
    Array.from(tensors, ([name, tensor]) => [
      name,
      { shape: tensor.shape, values: tensor.dataSync() as Float32Array },
    ]),
  );
}

/** Copies tensors into TensorFlow; they are the caller's. */
export function fromHostTensors(tensors: ReadonlyMap<string, HostTensor>): Map<string, tf.Tensor> {
  return new Map(
    Array.from(tensors, ([name, { shape, values }]) => [
      name,
      tf.keep(tf.tensor(values, [...shape], 'float32')),
    ]),
  );
}
