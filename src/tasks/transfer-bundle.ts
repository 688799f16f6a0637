/** Trained models on their way to PyTorch and back. */
import {
  exportModelFolder,
  importPyTorchModel,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from '../checkpoints/pytorch-bundle.js';
import type { InferenceTask } from '../contracts/jobs.js';
import type { ExportResult, ImportResult } from '../contracts/transfer.js';
import { describeTokenizer } from '../tokenizers/describe-tokenizer.js';

export function exportBundle({
  modelDirectory,
  bundleDirectory,
  tiedWeights,
}: Extract<InferenceTask, { type: 'export' }>): ExportResult {
  const bundle = exportModelFolder(modelDirectory, { tiedWeights });
  writePyTorchBundle(bundleDirectory, bundle);
  return { files: Array.from(bundle, ([name, { length: bytes }]) => ({ name, bytes })) };
}

export function importBundle({
  bundleDirectory,
  modelDirectory,
}: Extract<InferenceTask, { type: 'import' }>): ImportResult {
  const imported = importPyTorchModel(readPyTorchBundle(bundleDirectory));
  writeImportedModel(modelDirectory, imported);
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
