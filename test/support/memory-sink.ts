import * as tf from '../../src/tensor/tensorflow.js';
import type { CheckpointSink, SavedCheckpoint } from '../../src/training/checkpoint-sink.js';
import type { TrainerSnapshot } from '../../src/training/trainer-snapshot.js';
import { weightsDigest } from '../../src/training/weights-digest.js';

interface HostCopy {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Keeps checkpoints in memory, as copies: kernels change the tensors that they are taken from in place. */
export class MemorySink implements CheckpointSink {
  #snapshot: Omit<TrainerSnapshot, 'tensors'> | null = null;
  #tensors = new Map<string, HostCopy>();
  #best: Map<string, HostCopy> | null = null;
  /** Steps at which a snapshot was taken, in order. */
  readonly steps: number[] = [];
  /** How often the best weights were kept. */
  bestSaves = 0;

  saveSnapshot({ progress, optimizer, tensors }: TrainerSnapshot): SavedCheckpoint {
    this.#snapshot = structuredClone({ progress, optimizer });
    this.#tensors = copyOut(tensors);
    this.steps.push(progress.step);
    return { file: `memory/${progress.step}`, bytes: 0, digest: weightsDigest(tensors) };
  }

  loadSnapshot(): TrainerSnapshot | null {
    return this.#snapshot && { ...structuredClone(this.#snapshot), tensors: copyIn(this.#tensors) };
  }

  saveBestWeights(weights: ReadonlyMap<string, tf.Tensor>): SavedCheckpoint {
    this.#best = copyOut(weights);
    this.bestSaves += 1;
    return { file: 'memory/best', bytes: 0, digest: weightsDigest(weights) };
  }

  loadBestWeights(): ReadonlyMap<string, tf.Tensor> {
    if (!this.#best) throw new Error('no best weights were saved');
    return copyIn(this.#best);
  }
}

function copyOut(tensors: ReadonlyMap<string, tf.Tensor>): Map<string, HostCopy> {
  return new Map(
    Array.from(tensors, ([name, tensor]) => [
      name,
      { shape: tensor.shape, values: tensor.dataSync<'float32'>().slice() },
    ]),
  );
}

function copyIn(copies: ReadonlyMap<string, HostCopy>): Map<string, tf.Tensor> {
  return new Map(
    Array.from(copies, ([name, { shape, values }]) => [name, tf.tensor(values.slice(), [...shape])]),
  );
}
