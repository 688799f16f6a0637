import type { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { Parameter } from '../layers/parameter.js';
import type { Tensor } from '../tensor/tensorflow.js';

/** The parameters of one LSTM layer. */
export interface LstmLayerParameters {
  readonly wx: Parameter; // [D, 4H]
  readonly wh: Parameter; // [H, 4H]
  readonly b: Parameter; // [4H]
}

/** All that an LSTM language model learns. With tied weights `outputWeights` is `embedding`. */
export interface LstmParameters {
  readonly embedding: Parameter; // [V, D]
  readonly layers: readonly LstmLayerParameters[];
  readonly outputWeights: Parameter; // [V, H]
  readonly outputBias: Parameter; // [V]
}

/** A parameter before it has a value. */
export interface ParameterSpec {
  readonly name: string;
  readonly role: 'embedding' | 'lstm-weights' | 'lstm-bias' | 'output-weights' | 'output-bias';
  readonly shape: readonly number[];
  /** Width H of the layer that it belongs to. */
  readonly hiddenSize: number;
}

/** Learned numbers of a model that need not be built; a tied weight counts once. */
export function countParameters(
  { embeddingSize, hiddenSizes, tieWeights }: ModelConfig,
  vocabularySize: number,
): number {
  const layers = hiddenSizes.map((size, layer) => {
    const inputSize = hiddenSizes[layer - 1] ?? embeddingSize;
    return 4 * size * (inputSize + size + 1);
  });
  const output = (tieWeights ? 0 : vocabularySize * hiddenSizes.at(-1)!) + vocabularySize;
  return vocabularySize * embeddingSize + layers.reduce((sum, count) => sum + count, 0) + output;
}

/** Builds all parameters of a model, in a fixed order. Names and shapes are said here and nowhere else. */
export function buildParameters(
  config: ModelConfig,
  vocabularySize: number,
  create: (spec: ParameterSpec) => Parameter,
): LstmParameters {
  const { embeddingSize, hiddenSizes } = config;
  const lastSize = hiddenSizes.at(-1)!;
  const embedding = create({
    name: 'embedding.table',
    role: 'embedding',
    shape: [vocabularySize, embeddingSize],
    hiddenSize: embeddingSize,
  });
  const layers = hiddenSizes.map((hiddenSize, layer) => {
    const inputSize = hiddenSizes[layer - 1] ?? embeddingSize;
    const name = (part: string) => `lstm${layer}.${part}`;
    return {
      wx: create({ name: name('wx'), role: 'lstm-weights', shape: [inputSize, 4 * hiddenSize], hiddenSize }),
      wh: create({ name: name('wh'), role: 'lstm-weights', shape: [hiddenSize, 4 * hiddenSize], hiddenSize }),
      b: create({ name: name('b'), role: 'lstm-bias', shape: [4 * hiddenSize], hiddenSize }),
    };
  });
  const outputWeights = config.tieWeights
    ? embedding
    : create({
        name: 'output.w',
        role: 'output-weights',
        shape: [vocabularySize, lastSize],
        hiddenSize: lastSize,
      });
  const outputBias = create({
    name: 'output.b',
    role: 'output-bias',
    shape: [vocabularySize],
    hiddenSize: lastSize,
  });
  return { embedding, layers, outputWeights, outputBias };
}

/**
 * Parameters with values that are there already, such as a file's.
 * @param weights by parameter name; they become the parameters' own, and are freed when this throws
 * @throws tensor-mismatch when one is missing, too many, or of another shape
 */
export function parametersFromWeights(
  config: ModelConfig,
  vocabularySize: number,
  weights: ReadonlyMap<string, Tensor>,
): LstmParameters {
  try {
    return adoptWeights(config, vocabularySize, weights);
  } catch (error) {
    for (const tensor of weights.values()) tensor.dispose();
    throw error;
  }
}

function adoptWeights(
  config: ModelConfig,
  vocabularySize: number,
  weights: ReadonlyMap<string, Tensor>,
): LstmParameters {
  const used = new Set<string>();
  const parameters = buildParameters(config, vocabularySize, ({ name, shape }) => {
    const value = weights.get(name);
    if (!value || value.shape.join() !== shape.join()) {
      const actual = value ? `[${value.shape.join(', ')}]` : 'no such tensor';
      throw appError('tensor-mismatch', { tensor: name, expected: `[${shape.join(', ')}]`, actual });
    }
    used.add(name);
    return new Parameter(name, value);
  });
  for (const name of weights.keys()) {
    if (!used.has(name))
      throw appError('tensor-mismatch', { tensor: name, expected: 'no such tensor', actual: 'one' });
  }
  return parameters;
}
