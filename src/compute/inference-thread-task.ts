/** What the inference host hands to a worker thread (`workers/generate.ts`), beyond plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { GenerationPart } from '../contracts/generation.js';
import type { InferenceTask } from '../contracts/jobs.js';

export interface InferenceThreadTask {
  readonly task: InferenceTask;
  /** The worker posts each GenerationPart here, in order; null = nobody listens. */
  readonly parts: Pick<MessagePort, 'postMessage'> | null;
  /** Four shared bytes, read at each token: not zero = nobody waits for the result any more. */
  readonly cancelled: SharedArrayBuffer;
}

export type PartListener = (part: GenerationPart) => void;

export function createCancelFlag(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

export function raiseCancelFlag(cancelled: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(cancelled), 0, 1);
}

export function isCancelled(cancelled: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(cancelled), 0) !== 0;
}
