import type { Tensor } from '../tensor/tensorflow.js';
import type { TrainerSnapshot } from './trainer-snapshot.js';

/** What was written. */
export interface SavedCheckpoint {
  /** Relative to the experiment's folder. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 over the weights. */
  readonly digest: string;
}

/** Where a trainer puts what must not be lost. Its implementation is in src/checkpoints; tests keep it in memory. */
export interface CheckpointSink {
  /** Keeps all that resume needs; it replaces the one before. On the disk when it returns. */
  saveSnapshot(snapshot: TrainerSnapshot): SavedCheckpoint;
  /** The latest snapshot, or null. The tensors are the caller's. */
  loadSnapshot(): TrainerSnapshot | null;
  /** Keeps the weights that are served: the best so far, by validation loss. */
  saveBestWeights(weights: ReadonlyMap<string, Tensor>): SavedCheckpoint;
  /** The weights of the last {@link saveBestWeights}. The tensors are the caller's. */
  loadBestWeights(): ReadonlyMap<string, Tensor>;
}
