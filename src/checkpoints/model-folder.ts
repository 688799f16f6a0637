import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { writeDurably } from '../files/durable-file.js';
import { MODEL_FILES } from '../files/layout.js';
import type { Kernels } from '../kernels/kernels.js';
import { createModel } from '../models/create-model.js';
import type { LanguageModel } from '../models/language-model.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../tokenizers/tokenizer-json.js';
import { loadWeights } from './checkpoint-folder.js';

/** `config.json` of a model folder: all that is needed to build the model around its weights. */
export const ModelDescription = z.strictObject({
  version: z.literal(1),
  model: ModelConfig,
  vocabularySize: z.int().min(1),
  precision: z.enum(['float32', 'bfloat16']),
  /** What it was trained on, for evaluation on the same text. */
  corpus: z.string(),
});
export type ModelDescription = z.infer<typeof ModelDescription>;

/** A model that is ready to be used, with the tokenizer that it was trained with. */
export interface TrainedModel {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly description: ModelDescription;
}

const { weights: WEIGHTS, description: CONFIG, tokenizer: TOKENIZER } = MODEL_FILES;

/** Writes what stands beside the weights of a model: its description and its tokenizer. */
export function describeModel(folder: string, description: ModelDescription, tokenizer: Tokenizer): void {
  mkdirSync(folder, { recursive: true });
  writeDurably(join(folder, TOKENIZER), Buffer.from(JSON.stringify(tokenizer.toJSON())));
  writeDurably(join(folder, CONFIG), Buffer.from(JSON.stringify(description, null, 2)));
}

/**
 * Loads a trained model from its folder.
 * @throws checkpoint-corrupt, tensor-mismatch, tokenizer-invalid
 */
export function openModel(folder: string, kernels: Kernels): TrainedModel {
  const description = readDescription(join(folder, CONFIG));
  const tokenizer = readTokenizer(join(folder, TOKENIZER));
  if (tokenizer.vocabulary.size !== description.vocabularySize) {
    const reason = `it has ${tokenizer.vocabulary.size} tokens; the model has ${description.vocabularySize}`;
    throw appError('tokenizer-invalid', { file: TOKENIZER, reason });
  }
  const { model: config, vocabularySize, precision } = description;
  const weights = loadWeights(join(folder, WEIGHTS));
  const model = createModel(config, vocabularySize, { kernels, seed: 0, precision, weights });
  return { model, tokenizer, description };
}

/** Whether a folder holds a model that can be opened. */
export function hasModel(folder: string): boolean {
  return [WEIGHTS, CONFIG, TOKENIZER].every((file) => existsSync(join(folder, file)));
}

function readTokenizer(path: string): Tokenizer {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    throw appError('checkpoint-corrupt', { file: TOKENIZER, reason: (error as Error).message }, error);
  }
  return parseTokenizerJson(json);
}

function readDescription(path: string): ModelDescription {
  try {
    return ModelDescription.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw appError('checkpoint-corrupt', { file: CONFIG, reason }, error);
  }
}
