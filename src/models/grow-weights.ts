import type { ModelConfig } from '../contracts/model.js';
import * as tf from '../tensor/tensorflow.js';
import { type ParameterSpec, parameterSpecs } from './model-parameters.js';

/** Parameters with one row per token. */
const PER_TOKEN: ReadonlySet<ParameterSpec['role']> = new Set(['embedding', 'output-weights', 'output-bias']);

/**
 * Adds rows for new tokens to the weights of a model. Each is the mean of the existing rows, which keeps the predictions for
 * the existing tokens nearly as they are (Hewitt 2021, Initializing New Word Embeddings for Pretrained Language Models).
 * Existing rows stay as they are; a tied weight grows once.
 * @param weights by parameter name; ownership passes to the result
 * @param vocabularySize number of tokens, including the new ones
 */
export function growWeights(
  config: ModelConfig,
  vocabularySize: number,
  weights: ReadonlyMap<string, tf.Tensor>,
): Map<string, tf.Tensor> {
  const grown = new Map(weights);
  for (const { name, role, shape } of parameterSpecs(config, vocabularySize)) {
    const rows = weights.get(name);
    if (!rows || !PER_TOKEN.has(role)) continue; // a missing one is an error of createModel
    grown.set(name, addMeanRows(rows, shape));
    rows.dispose();
  }
  return grown;
}

/** @param shape of the result */
function addMeanRows(rows: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const known = rows.dataSync<'float32'>();
  const width = rows.size / rows.shape[0]!;
  const values = new Float32Array(shape[0]! * width);
  values.set(known);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let at = column; at < known.length; at += width) sum += known[at]!;
    const mean = sum / rows.shape[0]!;
    for (let at = known.length + column; at < values.length; at += width) values[at] = mean;
  }
  return tf.tensor(values, [...shape]);
}
