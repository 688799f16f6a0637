/** What the training host hands to a worker thread (`workers/train.ts`), beyond plain data. */
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

export function raiseStopFlag(stop: SharedArrayBuffer, mode: StopMode): void {
  Atomics.store(new Int32Array(stop), 0, STOP_FLAGS[mode]);
}

export function readStopFlag(stop: SharedArrayBuffer): StopMode | null {
  const flag = Atomics.load(new Int32Array(stop), 0);
  return flag === STOP_FLAGS.pause ? 'pause' : flag === STOP_FLAGS.cancel ? 'cancel' : null;
}
