import type { Tensor } from '../tensor/tensorflow.js';
import type { TrainerSnapshot } from './trainer-snapshot.js';

/** A checkpoint that was written. */
export interface SavedCheckpoint {
  /** Relative to the experiment's folder. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 over the weights. */
  readonly digest: string;
}

/** Persists the state of a trainer. Implemented in src/checkpoints; tests keep it in memory. */
export interface CheckpointSink {
  /** Saves everything that resume needs, replacing the previous snapshot. Flushed to disk when it returns. */
  saveSnapshot(snapshot: TrainerSnapshot): SavedCheckpoint;
  /** The latest snapshot, or null. The tensors are the caller's. */
  loadSnapshot(): TrainerSnapshot | null;
  /** Saves the weights that are served: the best so far, by validation loss. */
  saveBestWeights(weights: ReadonlyMap<string, Tensor>): SavedCheckpoint;
  /** The weights of the last {@link saveBestWeights}. The tensors are the caller's. */
  loadBestWeights(): ReadonlyMap<string, Tensor>;
}
