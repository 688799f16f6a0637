/** The updates of the optimizers and of dynamic evaluation; none works in place. */
import * as tf from '../../tensor/tensorflow.js';
import type { AdamInput, AdamTensors, AdaptInput, SgdInput, SgdResult } from '../kernels.js';
import { addRows } from './rows.js';

export function sgd({
  updates,
  learningRate,
  gradientScale,
  weightDecay,
  averageCoefficient = 0,
}: SgdInput): SgdResult[] {
  return updates.map(({ value: old, gradient, average: oldAverage }) =>
    tf.tidy(() => {
      const decay = tf.mul(old, weightDecay);
      const value = tf.sub(old, tf.mul(tf.add(tf.mul(gradient, gradientScale), decay), learningRate));
      if (!oldAverage) return { value };
      const average = tf.add(oldAverage, tf.mul(tf.sub(value, oldAverage), averageCoefficient));
      return { value, average };
    }),
  );
}

export function adam(input: AdamInput): AdamTensors {
  const { gradient, learningRate, gradientScale, beta1, beta2, epsilon, weightDecay, decoupled } = input;
  return tf.tidy(() => {
    const scaled = tf.mul(gradient, gradientScale);
    const g = decoupled ? scaled : tf.add(scaled, tf.mul(input.value, weightDecay));
    const m = tf.add(tf.mul(input.m, beta1), tf.mul(g, 1 - beta1));
    const v = tf.add(tf.mul(input.v, beta2), tf.mul(tf.square(g), 1 - beta2));
    const direction = tf.div(
      tf.div(m, input.correction1),
      tf.add(tf.sqrt(tf.div(v, input.correction2)), epsilon),
    );
    const decay = decoupled ? tf.mul(input.value, weightDecay) : tf.scalar(0);
    return { m, v, value: tf.sub(input.value, tf.mul(tf.add(direction, decay), learningRate)) };
  });
}

export function adapt(input: AdaptInput): tf.Tensor {
  const { value, trained, gradient, roots, learningRate, decay, epsilon } = input;
  return tf.tidy(() => {
    const dense =
      gradient.kind === 'dense' ? gradient.value : addRows(tf.zeros(value.shape), gradient.rows, 1);
    const step = roots ? tf.div(learningRate, tf.add(roots, epsilon)) : learningRate;
    const pull = roots ? tf.minimum(tf.mul(roots, decay), 1) : decay;
    const back = tf.mul(tf.sub(trained, value), pull);
    return tf.add(value, tf.sub(back, tf.mul(dense, step)));
  });
}
