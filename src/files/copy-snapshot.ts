import { text } from 'node:stream/consumers';
import { appError } from '../errors.js';
import { type ArtifactStore, copyArtifact } from './artifact-store.js';
import { CHECKPOINTS, LATEST_CHECKPOINT } from './layout.js';

/** Below the folder of an experiment: names the tensors file of its latest checkpoint. */
export const LATEST = `${CHECKPOINTS}/${LATEST_CHECKPOINT}`;
/** Tries to copy a snapshot that the training may replace at any moment. */
const TRIES = 5;

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
  /** Copies only a snapshot that has this tensors file. */
  readonly only?: string;
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
  only,
}: SnapshotCopy): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const stream = await from.get(`${key}/${record}`);
    if (!stream) return false;
    const json = await text(stream);
    const tensors = `${CHECKPOINTS}/${JSON.parse(json).file as string}`;
    if (only !== undefined && tensors !== only) return false;
    if (await copyArtifact(from, `${key}/${tensors}`, to, `${as}/${tensors}`)) {
      await to.put(`${as}/${LATEST}`, Buffer.from(json));
      return true;
    }
    if (tries === TRIES) throw appError('checkpoint-not-found', { checkpoint: tensors, experiment: key });
  }
}
