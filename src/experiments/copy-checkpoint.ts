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
  const copy = async (file: string) => {
    if (!(await copyArtifact(files, `${from}/${file}`, files, `${to}/${file}`))) throw notFound(from, file);
  };
  const record = epoch === null ? LATEST : `${CHECKPOINTS}/${keptCheckpoint(epoch)}`;
  await copy(TOKENIZER);
  if (await copySnapshot({ from: files, key: from, to: files, as: to, record })) return;
  if (epoch !== null) throw notFound(from, record);
  await copy(WEIGHTS);
}

/** What is copied from where to where. */
export interface SnapshotCopy {
  readonly from: ArtifactStore;
  /** Of the experiment. */
  readonly key: string;
  readonly to: ArtifactStore;
  /** The key that the copy gets; left out: the same. */
  readonly as?: string;
  /** Names the tensors file; left out: that of the latest snapshot. */
  readonly record?: string;
}

/**
 * Copies a snapshot, which is two files: one names the other, and is the latest one of the copy. The training may replace
 * it meanwhile.
 * @returns false when there is none
 * @throws checkpoint-not-found, out-of-disk, write-failed
 */
export async function copySnapshot({
  from,
  key,
  to,
  as = key,
  record = LATEST,
}: SnapshotCopy): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const stream = await from.get(`${key}/${record}`);
    if (!stream) return false;
    const json = await text(stream);
    const tensors = `${CHECKPOINTS}/${JSON.parse(json).file as string}`;
    if (await copyArtifact(from, `${key}/${tensors}`, to, `${as}/${tensors}`)) {
      await to.put(`${as}/${LATEST}`, Buffer.from(json));
      return true;
    }
    if (tries === TRIES) throw notFound(key, tensors); // else it was replaced meanwhile
  }
}

function notFound(from: string, file: string) {
  return appError('checkpoint-not-found', { checkpoint: file, experiment: from });
}
