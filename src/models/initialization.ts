import type { ModelConfig } from '../contracts/model.js';
import { Parameter } from '../layers/parameter.js';
import { normal, RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import * as tf from '../tensor/tensorflow.js';
import { buildParameters, type ModelParameters, type ParameterSpec } from './model-parameters.js';

/**
 * Initializes the weights as the config says; the same seed gives the same weights on every backend.
 *
 * References: Saitoh, Deep Learning from Scratch 2, section 6.4.2 (book); Zaremba et al. 2014, arXiv 1409.2329
 * (uniform); Merity et al. 2017, arXiv 1708.02182, section 5 (awd-lstm).
 */
export function initializeParameters(
  config: ModelConfig,
  vocabularySize: number,
  seed: number,
): ModelParameters {
  const random = new RandomSource(seed, RANDOM_STREAMS.initialization);
  const draw = DRAWS[config.initialization];
  return buildParameters(config, vocabularySize, (spec) => {
    const size = spec.shape.reduce((product, count) => product * count, 1);
    const values = draw(spec, size, random, config);
    if (spec.forgetBias) addForgetBias(values, spec, config.forgetBias);
    return new Parameter(spec.name, tf.tensor(values, [...spec.shape]));
  });
}

type Draw = (spec: ParameterSpec, size: number, random: RandomSource, config: ModelConfig) => Float32Array;

const DRAWS: Readonly<Record<ModelConfig['initialization'], Draw>> = {
  book({ role, shape }, size, random) {
    switch (role) {
      case 'embedding':
        return normal(size, random.next(), 0, 0.01);
      case 'recurrent-weights':
        return normal(size, random.next(), 0, 1 / Math.sqrt(shape[0]!)); // [fan-in, …]
      case 'output-weights':
        return normal(size, random.next(), 0, 1 / Math.sqrt(shape[1]!)); // [V, fan-in]
      case 'recurrent-bias':
      case 'output-bias':
        return new Float32Array(size);
      default:
        return role satisfies never;
    }
  },

  uniform(_spec, size, random, { initializationRange: range }) {
    return uniform(size, random.next(), -range, range);
  },

  'awd-lstm'({ role, hiddenSize }, size, random) {
    const bound = 1 / Math.sqrt(hiddenSize);
    switch (role) {
      case 'embedding':
      case 'output-weights':
        return uniform(size, random.next(), -0.1, 0.1);
      case 'recurrent-weights':
        return uniform(size, random.next(), -bound, bound);
      case 'recurrent-bias': {
        // PyTorch's LSTM has two biases, each U(±1/√H); only their sum matters, so the sum is sampled.
        const second = uniform(size, random.next(), -bound, bound);
        return uniform(size, random.next(), -bound, bound).map((value, index) => value + second[index]!);
      }
      case 'output-bias':
        return new Float32Array(size);
      default:
        return role satisfies never;
    }
  },
};

function addForgetBias(bias: Float32Array, { forgetBias, hiddenSize }: ParameterSpec, added: number): void {
  const { begin, end } = forgetBias!;
  for (let unit = begin * hiddenSize; unit < end * hiddenSize; unit++) bias[unit] = bias[unit]! + added;
}
