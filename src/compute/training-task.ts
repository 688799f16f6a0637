/** A task of the training host for a worker thread (`workers/train.ts`), with what is not plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { StopMode, TrainingJob } from '../contracts/jobs.js';

export interface TrainingTask {
  readonly job: TrainingJob;
  /** The worker posts each TrainingEvent here, in order. */
  readonly events: MessagePort;
  /** Four shared bytes: a {@link StopFlag}, read by the trainer at each step. */
  readonly stop: SharedArrayBuffer;
}

export const STOP_FLAGS = { none: 0, pause: 1, cancel: 2 } as const;

export function createStopFlag(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** A stronger request (cancel after pause) overrides; a weaker one does not. */
export function raiseStopFlag(stop: SharedArrayBuffer, mode: StopMode): void {
  const flag = new Int32Array(stop);
  Atomics.store(flag, 0, Math.max(Atomics.load(flag, 0), STOP_FLAGS[mode]));
}

export function readStopFlag(stop: SharedArrayBuffer): StopMode | null {
  const flag = Atomics.load(new Int32Array(stop), 0);
  return flag === STOP_FLAGS.pause ? 'pause' : flag === STOP_FLAGS.cancel ? 'cancel' : null;
}
