/**
 * Activation regularization and temporal activation regularization: penalties on the output of the last recurrent layer.
 *
 * Reference: Merity, McCann and Socher 2017, arXiv 1708.01009.
 */
import * as tf from '../tensor/tensorflow.js';
import type { Objective } from './language-model.js';

/** The gradient of α·mean(h²) (activation regularization); null when it is zero. */
export function activationGradient(
  dropped: tf.Tensor3D,
  { activationRegularization: alpha }: Objective,
): tf.Tensor3D | null {
  return alpha === 0 ? null : tf.mul(dropped, (2 * alpha) / dropped.size);
}

/** The gradient of β·mean((h_t+1 − h_t)²) (temporal activation regularization); null when it is zero. */
export function temporalActivationGradient(raw: tf.Tensor3D, objective: Objective): tf.Tensor3D | null {
  const [time, batchSize, width] = raw.shape;
  const beta = objective.temporalActivationRegularization;
  if (beta === 0 || time < 2) return null;
  const step = [time - 1, batchSize, width] as [number, number, number];
  const difference = tf.sub(tf.slice(raw, [1, 0, 0], step), tf.slice(raw, [0, 0, 0], step)); // [T - 1, N, H]
  const zeros = tf.zeros([1, batchSize, width]);
  const gradient = tf.sub(tf.concat([zeros, difference]), tf.concat([difference, zeros]));
  return tf.mul(gradient, (2 * beta) / difference.size) as tf.Tensor3D;
}
