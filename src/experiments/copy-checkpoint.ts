import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { appError } from '../errors.js';
import { type ArtifactStore, copyArtifact } from '../files/artifact-store.js';
import {
  CHECKPOINTS,
  experimentKey,
  keptCheckpoint,
  LATEST_CHECKPOINT,
  MODEL,
  MODEL_FILES,
  pathOf,
} from '../files/layout.js';

const LATEST = `${CHECKPOINTS}/${LATEST_CHECKPOINT}`;
const WEIGHTS = `${MODEL}/${MODEL_FILES.weights}`;
const TOKENIZER = `${MODEL}/${MODEL_FILES.tokenizer}`;
/** Tries to copy a snapshot that the training may replace at any moment. */
const TRIES = 5;

/** Whether a training can go on from what an experiment has saved. */
export function hasSnapshot(dataDirectory: string, id: string): boolean {
  return has(dataDirectory, id, LATEST);
}

/** Whether a fork can begin with what an experiment has saved. */
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
 * Copies a checkpoint of an experiment with its tokenizer: that of an epoch that was kept, else the latest one, which is
 * its snapshot, or its best weights where there is none. On the disk when it returns; what is copied is checked when it is
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
  await copyFile(files, from, to, TOKENIZER);
  if (epoch !== null) await copySnapshot(files, from, to, `${CHECKPOINTS}/${keptCheckpoint(epoch)}`);
  else if (await files.get(`${from}/${LATEST}`).then(exists)) await copySnapshot(files, from, to, LATEST);
  else await copyFile(files, from, to, WEIGHTS);
}

/** A snapshot is two files; the one that names the other is renamed into place last, here as there. */
async function copySnapshot(files: ArtifactStore, from: string, to: string, record: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await copyFile(files, from, to, record, LATEST);
    const { file } = JSON.parse(await text((await files.get(`${to}/${LATEST}`))!)) as { file: string };
    const tensors = `${CHECKPOINTS}/${file}`;
    const copied = await copyArtifact(files, `${from}/${tensors}`, files, `${to}/${tensors}`);
    if (copied) return;
    if (tries === TRIES) throw notFound(from, tensors); // else it was replaced meanwhile
  }
}

async function copyFile(
  files: ArtifactStore,
  from: string,
  to: string,
  file: string,
  as = file,
): Promise<void> {
  const copied = await copyArtifact(files, `${from}/${file}`, files, `${to}/${as}`);
  if (!copied) throw notFound(from, file);
}

function exists(stream: { destroy(): unknown } | null): boolean {
  stream?.destroy();
  return stream !== null;
}

function notFound(from: string, file: string) {
  return appError('checkpoint-not-found', { checkpoint: file, experiment: from });
}
