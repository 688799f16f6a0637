import type { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { Parameter } from '../layers/parameter.js';
import type { RecurrentCell } from '../layers/recurrent-cell.js';
import type { Tensor } from '../tensor/tensorflow.js';
import { createCell } from './create-cell.js';

/** The trainable parameters of a recurrent language model. With tied weights `outputWeights` is `embedding`. */
interface ModelParts<Part> {
  readonly embedding: Part; // [V, D]
  /** One per layer, by the cell's names. */
  readonly layers: readonly Readonly<Record<string, Part>>[];
  readonly outputWeights: Part; // [V, H]
  readonly outputBias: Part; // [V]
}

export type ModelParameters = ModelParts<Parameter>;

/** Name and shape of a parameter. */
export interface ParameterSpec {
  readonly name: string;
  readonly role: 'embedding' | 'recurrent-weights' | 'recurrent-bias' | 'output-weights' | 'output-bias';
  readonly shape: readonly number[];
  /** Width H of its layer. */
  readonly hiddenSize: number;
  /** The part to which the config's forgetBias is added, see RecurrentCell. */
  readonly forgetBias: RecurrentCell['forgetBias'];
}

/** The parameters of a model without building it; a tied weight once. */
export function parameterSpecs(config: ModelConfig, vocabularySize: number): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  build(config, vocabularySize, (spec) => specs.push(spec));
  return specs;
}

/** Number of trainable weights. */
export function countParameters(config: ModelConfig, vocabularySize: number): number {
  return parameterSpecs(config, vocabularySize).reduce(
    (count, { shape }) => count + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

/** Builds all parameters of a model, in a fixed order. */
export function buildParameters(
  config: ModelConfig,
  vocabularySize: number,
  create: (spec: ParameterSpec) => Parameter,
): ModelParameters {
  return build(config, vocabularySize, create);
}

/** The only definition of names and shapes of a model's parameters, together with its cell. */
function build<Part>(
  config: ModelConfig,
  vocabularySize: number,
  create: (spec: ParameterSpec) => Part,
): ModelParts<Part> {
  const { embeddingSize, hiddenSizes } = config;
  const cell = createCell(config.cell);
  const lastSize = hiddenSizes.at(-1)!;
  const outside = (
    name: string,
    role: ParameterSpec['role'],
    shape: readonly number[],
    hiddenSize: number,
  ): Part => create({ name, role, shape, hiddenSize, forgetBias: null });
  const embedding = outside('embedding.table', 'embedding', [vocabularySize, embeddingSize], embeddingSize);
  const layers = hiddenSizes.map((hiddenSize, layer) => {
    const inputSize = hiddenSizes[layer - 1] ?? embeddingSize;
    const weights = Object.entries(cell.weights(inputSize, hiddenSize)).map(([weight, { shape, role }]) => {
      const name = `${layerName(cell, layer)}.${weight}`;
      const forgetBias = cell.forgetBias?.weight === weight ? cell.forgetBias : null;
      return [weight, create({ name, role: `recurrent-${role}`, shape, hiddenSize, forgetBias })] as const;
    });
    return Object.fromEntries(weights);
  });
  const outputWeights = config.tieWeights
    ? embedding
    : outside('output.w', 'output-weights', [vocabularySize, lastSize], lastSize);
  const outputBias = outside('output.b', 'output-bias', [vocabularySize], lastSize);
  return { embedding, layers, outputWeights, outputBias };
}

/** Such as `lstm0`: the prefix of the names of its parameters. */
export function layerName(cell: Pick<RecurrentCell, 'name'>, layer: number): string {
  return `${cell.name}${layer}`;
}

/**
 * Parameters with existing values, such as those of a file.
 * @param weights by parameter name; ownership passes to the parameters; disposed when this throws
 * @throws tensor-mismatch when one is missing, unexpected, or of the wrong shape
 */
export function parametersFromWeights(
  config: ModelConfig,
  vocabularySize: number,
  weights: ReadonlyMap<string, Tensor>,
): ModelParameters {
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
): ModelParameters {
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
