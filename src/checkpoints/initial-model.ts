import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appError } from '../errors.js';
import { MODEL, MODEL_FILES } from '../files/layout.js';
import type { Tensor } from '../tensor/tensorflow.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../tokenizers/tokenizer-json.js';
import { CheckpointFolder, weightsOf } from './checkpoint-folder.js';

/** What a fork begins with. */
export interface InitialModel {
  /** By parameter name; the caller's. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly tokenizer: Tokenizer;
}

const TOKENIZER = join(MODEL, MODEL_FILES.tokenizer);

/**
 * The weights and the tokenizer of another experiment's checkpoint, copied into a folder laid out like its own: of its
 * latest snapshot, or of its best weights where that is all there is. The optimizer's slots and the LSTM state stay
 * behind: a fork trains as if the weights were its first ones.
 * @throws checkpoint-corrupt, tokenizer-invalid
 */
export function openInitialModel(folder: string): InitialModel {
  const tokenizer = parseTokenizerJson(readOrRefuse(join(folder, TOKENIZER)));
  const checkpoints = new CheckpointFolder(folder);
  const snapshot = checkpoints.loadSnapshot();
  if (!snapshot) return { weights: checkpoints.loadBestWeights(), tokenizer };
  const weights = weightsOf(snapshot.tensors);
  for (const [name, tensor] of snapshot.tensors) if (!weights.has(name)) tensor.dispose();
  return { weights, tokenizer };
}

function readOrRefuse(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw appError('checkpoint-corrupt', { file: TOKENIZER, reason: (error as Error).message }, error);
  }
}
