/** What the inference host hands to a worker thread (`workers/generate.ts`), beyond plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { InferenceTask } from '../contracts/jobs.js';

export interface InferenceThreadTask {
  readonly task: InferenceTask;
  /**
   * The worker posts what it has to say here, in order, and gets a TaskInput by it when it asked for one; null = nobody
   * listens.
   */
  readonly parts: MessagePort | null;
  /** Four shared bytes, read at each token: not zero = nobody waits for the result any more. */
  readonly cancelled: SharedArrayBuffer;
}

export function createCancelFlag(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

export function raiseCancelFlag(cancelled: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(cancelled), 0, 1);
}

export function isCancelled(cancelled: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(cancelled), 0) !== 0;
}
