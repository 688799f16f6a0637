import { existsSync } from 'node:fs';
import { appError } from '../errors.js';
import { type ArtifactStore, copyArtifact } from '../files/artifact-store.js';
import { copySnapshot, LATEST } from '../files/copy-snapshot.js';
import { CHECKPOINTS, experimentKey, keptCheckpoint, MODEL, MODEL_FILES, pathOf } from '../files/layout.js';

const WEIGHTS = `${MODEL}/${MODEL_FILES.weights}`;
const TOKENIZER = `${MODEL}/${MODEL_FILES.tokenizer}`;

/** Whether an experiment has a checkpoint from which a training can resume. */
export function hasSnapshot(dataDirectory: string, id: string): boolean {
  return has(dataDirectory, id, LATEST);
}

/** Whether an experiment has weights from which a fork can start. */
export function hasWeights(dataDirectory: string, id: string): boolean {
  return (
    has(dataDirectory, id, TOKENIZER) && (hasSnapshot(dataDirectory, id) || has(dataDirectory, id, WEIGHTS))
  );
}

/** Whether the checkpoint at the end of an epoch was kept. */
export function hasKept(dataDirectory: string, id: string, epoch: number): boolean {
  return has(dataDirectory, id, `${CHECKPOINTS}/${keptCheckpoint(epoch)}`);
}

function has(dataDirectory: string, id: string, file: string): boolean {
  return existsSync(pathOf(dataDirectory, `${experimentKey(id)}/${file}`));
}

/**
 * Copies a checkpoint of an experiment with its tokenizer: that of a kept epoch, else the latest one, which is
 * its snapshot, or its best weights if there is none. Flushed to disk when it returns; the copy is verified when it is
 * opened.
 * @param from key of the experiment @param to key that the copy gets, laid out as an experiment
 * @throws checkpoint-not-found, out-of-disk, write-failed
 */
export async function copyInitialModel(
  files: ArtifactStore,
  from: string,
  to: string,
  epoch: number | null = null,
): Promise<void> {
  const copy = async (file: string) => {
    if (!(await copyArtifact(files, `${from}/${file}`, files, `${to}/${file}`))) throw notFound(from, file);
  };
  const record = epoch === null ? LATEST : `${CHECKPOINTS}/${keptCheckpoint(epoch)}`;
  await copy(TOKENIZER);
  if (await copySnapshot({ from: files, key: from, to: files, as: to, record })) return;
  if (epoch !== null) throw notFound(from, record);
  await copy(WEIGHTS);
}

function notFound(from: string, file: string) {
  return appError('checkpoint-not-found', { checkpoint: file, experiment: from });
}
