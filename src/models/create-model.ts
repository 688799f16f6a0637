import type { ModelConfig } from '../contracts/model.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Tensor } from '../tensor/tensorflow.js';
import { initializeParameters } from './initialization.js';
import type { LanguageModel } from './language-model.js';
import { parametersFromWeights } from './model-parameters.js';
import { RecurrentLanguageModel } from './recurrent-language-model.js';

export interface CreateModelOptions {
  readonly kernels: Kernels;
  /** Seed of the initial weights and of the masks. */
  readonly seed: number;
  readonly precision: 'float32' | 'bfloat16';
  /**
   * Initial weights by parameter name; default: initialized as the config says. Ownership passes to the model; they are
   * disposed when this throws.
   */
  readonly weights?: ReadonlyMap<string, Tensor>;
}

/**
 * Creates the language model of a config: the only place where models are built.
 * @throws tensor-mismatch when a weight is missing, unexpected, or of the wrong shape
 */
export function createModel(
  config: ModelConfig,
  vocabularySize: number,
  { kernels, seed, precision, weights }: CreateModelOptions,
): LanguageModel {
  const parameters = weights
    ? parametersFromWeights(config, vocabularySize, weights)
    : initializeParameters(config, vocabularySize, seed);
  return new RecurrentLanguageModel(config, vocabularySize, { kernels, seed, precision, parameters });
}
