import { ModelConfig } from '../../src/contracts/model.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { randomBits } from '../../src/tensor/random.js';
import { testKernels } from './backend.js';

export const TINY_VOCABULARY = 9;

/** Two small layers with weights large enough that its predictions are far from uniform. */
export function createTinyModel(seed = 3, kernels: Kernels = testKernels()): LanguageModel {
  const config = ModelConfig.parse({
    embeddingSize: 5,
    hiddenSizes: [6, 5],
    tieWeights: true,
    initialization: 'uniform',
    initializationRange: 0.9,
  });
  return createModel(config, TINY_VOCABULARY, { kernels, seed, precision: 'float32' });
}

/** A text of that vocabulary; the same one for the same length and seed. */
export function tinyText(length: number, seed = 1): Int32Array {
  const bits = randomBits(length, { seed, stream: 60, counterLow: 0, counterHigh: 0 });
  return Int32Array.from(bits, (value) => value % TINY_VOCABULARY);
}
