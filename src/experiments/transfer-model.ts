import type { InferenceExecutor } from '../compute/inference-executor.js';
import type { Environment } from '../contracts/environment.js';
import type { Experiment } from '../contracts/experiment.js';
import { ExperimentInput } from '../contracts/experiment-config.js';
import type { ExportQuery, ImportFields, ImportResult } from '../contracts/transfer.js';
import { parseStrictly } from '../contracts/validation.js';
import type { ByteSource } from '../corpora/staged-upload.js';
import { appError } from '../errors.js';
import { modelKey } from '../files/layout.js';
import type { Store } from '../store/store.js';
import type { DataFolder } from './data-folder.js';
import { assertRoomOnDisk } from './disk-quota.js';
import type { EventLog } from './event-log.js';
import { fillFolder } from './experiment-folder.js';
import { newExperimentId } from './experiment-id.js';
import { viewExperiment } from './experiment-view.js';
import { findExperiment } from './find-experiment.js';
import { TransferFolder } from './transfer-folder.js';
import { referToModel } from './use-model.js';

export interface TransferDependencies {
  readonly store: Store;
  readonly log: EventLog;
  readonly executor: InferenceExecutor;
  readonly folder: DataFolder;
  readonly environment: Pick<Environment, 'dataDir' | 'maxUploadBytes' | 'diskQuotaBytes'>;
}

/** A bundle in temporary files, until it is discarded. */
export interface ExportedBundle {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  discard(): Promise<void>;
}

/**
 * Exports the best weights of an experiment in PyTorch's format.
 * @throws experiment-not-found, experiment-untrained, checkpoint-corrupt, out-of-disk, and what the executor throws
 */
export async function exportModel(
  { store, executor, environment }: TransferDependencies,
  id: string,
  { tiedWeights }: ExportQuery,
): Promise<ExportedBundle> {
  const { folder: model } = referToModel(findExperiment(store, id));
  const folder = await TransferFolder.create(environment.dataDir);
  const discard = () => folder.discard();
  try {
    const { files } = await executor.run({
      type: 'export',
      model,
      bundle: folder.key,
      tiedWeights,
    });
    return { folder: folder.path, files, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** A file of an import, and its name in a bundle. */
export const IMPORT_FILES = {
  model: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  vocabulary: 'vocabulary.txt',
  config: 'config.json',
} as const;
export type ImportFile = keyof typeof IMPORT_FILES;

/**
 * Receives a model trained with PyTorch, validates it, and stores it as a succeeded experiment.
 * @param receive passes on its files, one after another, then returns the fields of the form
 * @throws bad-request if a file is missing, checkpoint-corrupt, tensor-mismatch, tokenizer-invalid, validation-failed,
 * body-too-large, out-of-disk, write-failed, and what the executor throws
 */
export async function importModel(
  dependencies: TransferDependencies,
  receive: (take: (file: ImportFile, bytes: ByteSource) => Promise<void>) => Promise<ImportFields>,
): Promise<Experiment> {
  const { executor, environment } = dependencies;
  const { dataDir, maxUploadBytes } = environment;
  await assertRoomOnDisk(dependencies.folder, environment);
  const id = newExperimentId();
  const bundle = await TransferFolder.create(dataDir);
  try {
    const fields = await receive((file, bytes) => bundle.receive(IMPORT_FILES[file], bytes, maxUploadBytes));
    assertComplete(bundle);
    return await fillFolder(dataDir, id, async () => {
      const imported = await executor.run({
        type: 'import',
        bundle: bundle.key,
        model: modelKey(id),
      });
      return storeImported(dependencies, id, fields, imported);
    });
  } finally {
    await bundle.discard();
  }
}

function assertComplete(bundle: TransferFolder): void {
  if (!bundle.has(IMPORT_FILES.model))
    throw appError('bad-request', { reason: 'The file "model" is missing: the weights as safetensors' });
  if (!bundle.has(IMPORT_FILES.tokenizer) && !bundle.has(IMPORT_FILES.vocabulary))
    throw appError('bad-request', {
      reason:
        'The file "tokenizer" (tokenizer.json) or "vocabulary" (one token per line) is missing: it defines the tokens of the rows of the weights',
    });
  if (bundle.has(IMPORT_FILES.tokenizer) && bundle.has(IMPORT_FILES.vocabulary))
    throw appError('bad-request', {
      reason: 'Send the file "tokenizer" or the file "vocabulary", not both: each defines the tokens',
    });
}

/** Its training config is unknown: the stored one holds the defaults that a fork would start with. */
function storeImported(
  { store, log }: TransferDependencies,
  id: string,
  fields: ImportFields,
  { model, corpus, precision, tokenizer, digest, parameterCount, vocabularySize }: ImportResult,
): Experiment {
  const { name, tags, notes, priority, ...config } = parseStrictly(
    ExperimentInput,
    { ...fields, model, corpus, precision, tokenizer },
    'The config.json',
  );
  return store.transaction(() => {
    const createdAt = new Date().toISOString();
    store.experiments.insert({
      id,
      name: name ?? fields.name,
      tags,
      notes,
      priority,
      state: 'succeeded',
      config,
      parentId: null,
      createdAt,
    });
    const data = {
      testPerplexity: null,
      testLoss: null,
      testBitsPerByte: null,
      validPerplexity: null,
      validBitsPerByte: null,
      digest,
      seconds: 0,
      reason: 'imported',
    } as const;
    const patch = { modelDigest: digest, parameterCount, vocabularySize };
    return viewExperiment(store, log.record(id, { type: 'succeeded', data }, patch)!);
  });
}
