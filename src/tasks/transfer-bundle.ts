/** Export of trained models to PyTorch, and import from it. */
import {
  exportModelFolder,
  importPyTorchModel,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from '../checkpoints/pytorch-bundle.js';
import type { FileSource, InferenceTask } from '../contracts/jobs.js';
import type { ExportResult, ImportResult } from '../contracts/transfer.js';
import { pathOf } from '../files/layout.js';
import { describeTokenizer } from '../tokenizers/describe-tokenizer.js';

export function exportBundle(
  { model, bundle: target, tiedWeights }: Extract<InferenceTask, { type: 'export' }>,
  { dataDirectory }: FileSource,
): ExportResult {
  const bundle = exportModelFolder(pathOf(dataDirectory, model), { tiedWeights });
  writePyTorchBundle(pathOf(dataDirectory, target), bundle);
  return { files: Array.from(bundle, ([name, { length: bytes }]) => ({ name, bytes })) };
}

export function importBundle(
  { bundle, model: target }: Extract<InferenceTask, { type: 'import' }>,
  { dataDirectory }: FileSource,
): ImportResult {
  const imported = importPyTorchModel(readPyTorchBundle(pathOf(dataDirectory, bundle)));
  writeImportedModel(pathOf(dataDirectory, target), imported);
  const { digest, parameterCount, tokenizer, description } = imported;
  const { vocabularySize, model, precision, corpus } = description;
  return {
    digest,
    parameterCount,
    vocabularySize,
    model,
    precision,
    corpus,
    tokenizer: describeTokenizer(tokenizer),
  };
}
