import type { ModelConfig } from '../contracts/model.js';
import { Parameter } from '../layers/parameter.js';
import { normal, RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import * as tf from '../tensor/tensorflow.js';

/** The parameters of one LSTM layer. */
export interface LstmParameters {
  readonly wx: Parameter; // [D, 4H]
  readonly wh: Parameter; // [H, 4H]
  readonly b: Parameter; // [4H]
}

/** All that an LSTM language model learns. With tied weights `outputWeights` is `embedding`. */
export interface LstmLanguageModelParameters {
  readonly embedding: Parameter; // [V, D]
  readonly lstms: readonly LstmParameters[];
  readonly outputWeights: Parameter; // [V, H]
  readonly outputBias: Parameter; // [V]
}

/** Draws the initial weights; the same seed gives the same weights on every backend. */
export function initializeParameters(
  config: ModelConfig,
  vocabularySize: number,
  seed: number,
): LstmLanguageModelParameters {
  const draw = createDraw(config, new RandomSource(seed, RANDOM_STREAMS.initialization));
  const { embeddingSize, hiddenSizes } = config;
  const embedding = draw.embedding([vocabularySize, embeddingSize]);
  const lstms = hiddenSizes.map((hiddenSize, layer) => ({
    wx: draw.matrix(`lstm${layer}.wx`, [hiddenSizes[layer - 1] ?? embeddingSize, 4 * hiddenSize], hiddenSize),
    wh: draw.matrix(`lstm${layer}.wh`, [hiddenSize, 4 * hiddenSize], hiddenSize),
    b: draw.gateBias(`lstm${layer}.b`, hiddenSize, config.forgetBias),
  }));
  const lastSize = hiddenSizes.at(-1)!;
  return {
    embedding,
    lstms,
    outputWeights: config.tieWeights ? embedding : draw.output([vocabularySize, lastSize]),
    outputBias: draw.outputBias(vocabularySize),
  };
}

/** One value drawn as the config's `initialization` says. */
interface Draw {
  embedding(shape: [number, number]): Parameter;
  matrix(name: string, shape: [number, number], hiddenSize: number): Parameter;
  gateBias(name: string, hiddenSize: number, forgetBias: number): Parameter;
  output(shape: [number, number]): Parameter;
  outputBias(size: number): Parameter;
}

function createDraw(config: ModelConfig, random: RandomSource): Draw {
  const fromNormal = (size: number, deviation: number) => normal(size, random.next(), 0, deviation);
  const fromUniform = (size: number, range: number) => uniform(size, random.next(), -range, range);
  const zeros = (size: number) => new Float32Array(size);
  const range = config.initializationRange;

  const values = {
    book: {
      embedding: (size: number) => fromNormal(size, 0.01),
      matrix: (size: number, fanIn: number) => fromNormal(size, 1 / Math.sqrt(fanIn)),
      gateBias: zeros,
      output: (size: number, fanIn: number) => fromNormal(size, 1 / Math.sqrt(fanIn)),
      outputBias: zeros,
    },
    uniform: {
      embedding: (size: number) => fromUniform(size, range),
      matrix: (size: number) => fromUniform(size, range),
      gateBias: (size: number) => fromUniform(size, range),
      output: (size: number) => fromUniform(size, range),
      outputBias: (size: number) => fromUniform(size, range),
    },
    'awd-lstm': {
      embedding: (size: number) => fromUniform(size, 0.1),
      matrix: (size: number, _fanIn: number, hiddenSize: number) =>
        fromUniform(size, 1 / Math.sqrt(hiddenSize)),
      gateBias: awdGateBias,
      output: (size: number) => fromUniform(size, 0.1),
      outputBias: zeros,
    },
  }[config.initialization];

  /** PyTorch's LSTM has two biases, each U(±1/√H); only their sum matters, so the sum is drawn. */
  function awdGateBias(size: number): Float32Array {
    const bound = 1 / Math.sqrt(size / 4);
    const second = fromUniform(size, bound);
    return fromUniform(size, bound).map((value, index) => value + second[index]!);
  }

  return {
    embedding: (shape) => parameter('embedding.table', values.embedding(area(shape)), shape),
    matrix: (name, shape, hiddenSize) =>
      parameter(name, values.matrix(area(shape), shape[0], hiddenSize), shape),
    gateBias(name, hiddenSize, forgetBias) {
      const bias = values.gateBias(4 * hiddenSize);
      for (let unit = 0; unit < hiddenSize; unit++) bias[unit]! += forgetBias; // the forget gate is packed first
      return parameter(name, bias, [4 * hiddenSize]);
    },
    output: (shape) => parameter('output.w', values.output(area(shape), shape[1]), shape),
    outputBias: (size) => parameter('output.b', values.outputBias(size), [size]),
  };
}

function parameter(name: string, values: Float32Array, shape: number[]): Parameter {
  return new Parameter(name, tf.tensor(values, shape));
}

function area([rows, columns]: [number, number]): number {
  return rows * columns;
}
