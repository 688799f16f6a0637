import { join } from 'node:path';
import { CheckpointFolder } from '../../src/checkpoints/checkpoint-folder.js';
import { describeModel } from '../../src/checkpoints/model-folder.js';
import { exportModelFolder, type PyTorchBundle } from '../../src/checkpoints/pytorch-bundle.js';
import { parseVocabularyLines } from '../../src/checkpoints/pytorch-vocabulary.js';
import { ModelConfig } from '../../src/contracts/model.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { createModel } from '../../src/models/create-model.js';
import type { Tokenizer } from '../../src/tokenizers/tokenizer.js';
import { testKernels } from './backend.js';

export const TINY_VOCABULARY = '<unk>\n<eos>\nthe\ncat\nsat\nmat\non\ndog\n';

/**
 * The bundle of a model with random weights over the eight tokens above; the backend must be loaded.
 * @param folder an empty one
 */
export function tinyBundle(
  folder: string,
  {
    kernels = testKernels(),
    tokenizer = parseVocabularyLines(TINY_VOCABULARY),
  }: { readonly kernels?: Kernels; readonly tokenizer?: Tokenizer | undefined } = {},
): PyTorchBundle {
  const model = ModelConfig.parse({
    embeddingSize: 5,
    hiddenSizes: [7, 5],
    initialization: 'uniform',
    initializationRange: 0.8,
  });
  const vocabularySize = tokenizer.vocabulary.size;
  const net = createModel(model, vocabularySize, { kernels, seed: 3, precision: 'float32' });
  new CheckpointFolder(folder).saveBestWeights(new Map(net.parameters.map((p) => [p.name, p.value])));
  net.dispose();
  describeModel(
    join(folder, 'model'),
    { version: 1, model, vocabularySize, precision: 'float32', corpus: 'handbook' },
    tokenizer,
  );
  return exportModelFolder(join(folder, 'model'), { tiedWeights: 'twice' });
}
