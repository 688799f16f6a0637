import { appError } from '../errors.js';
import { type ArtifactStore, copyArtifact, readText } from './artifact-store.js';
import { CHECKPOINTS, LATEST_CHECKPOINT } from './layout.js';

/** In the folder of an experiment: names the tensors file of its latest checkpoint. */
export const LATEST = `${CHECKPOINTS}/${LATEST_CHECKPOINT}`;
/** Attempts to copy a snapshot that the training may replace at any time. */
const MAX_ATTEMPTS = 5;

/** Source and target of a copy. */
export interface SnapshotCopy {
  readonly from: ArtifactStore;
  /** Key of the experiment. */
  readonly key: string;
  readonly to: ArtifactStore;
  /** Key of the copy; default: the same key. */
  readonly as?: string;
  /** Record that names the tensors file; default: that of the latest snapshot. */
  readonly record?: string;
  /** Copies only a snapshot that has this tensors file. */
  readonly only?: string;
}

/**
 * Copies a snapshot of two files: the record, which becomes the latest one of the copy, and the tensors file that it names.
 * The training may replace both during the copy.
 * @returns false when there is no snapshot
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
    const json = await readText(from, `${key}/${record}`);
    if (json === null) return false;
    const tensors = `${CHECKPOINTS}/${JSON.parse(json).file as string}`;
    if (only !== undefined && tensors !== only) return false;
    const copied = await copyArtifact(from, `${key}/${tensors}`, to, `${as}/${tensors}`).catch(
      async (error) => {
        if ((await readText(from, `${key}/${record}`)) === json) throw error;
        return null; // it was replaced and deleted while it was read
      },
    );
    if (copied) {
      await to.put(`${as}/${LATEST}`, Buffer.from(json));
      return true;
    }
    if (tries === MAX_ATTEMPTS)
      throw appError('checkpoint-not-found', { checkpoint: tensors, experiment: key });
  }
}
