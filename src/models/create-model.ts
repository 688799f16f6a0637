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
   * Weights to begin with, by parameter name; drawn as the config says when left out. They become the model's own, and are
   * freed when this throws.
   */
  readonly weights?: ReadonlyMap<string, Tensor>;
}

/**
 * The language model that a config describes: the one place where models are built.
 * @throws tensor-mismatch when a weight is missing, too many, or of another shape
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
