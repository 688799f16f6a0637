/** A task of the inference host for a worker thread (`workers/generate.ts`), with what is not plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { InferenceTask, TaskInput } from '../contracts/jobs.js';

export interface InferenceThreadTask {
  readonly task: InferenceTask;
  /**
   * The worker posts its parts here, in order, and receives a TaskInput after requesting one; null = nobody
   * listens.
   */
  readonly parts: MessagePort | null;
  /** Four shared bytes, read at each token: not zero = cancelled. */
  readonly cancelled: SharedArrayBuffer;
}

/** The connection of a task in a thread, through its port and its flag: parts, input and cancellation. */
export function connectTask({ parts, cancelled }: Omit<InferenceThreadTask, 'task'>) {
  return {
    tell: parts && ((part: unknown) => parts.postMessage(part)),
    nextInput: () =>
      new Promise<TaskInput>((resolve) => {
        parts!.once('message', resolve); // a task that reads a text has a port
        parts!.postMessage({ tokens: [], wantsMore: true });
      }),
    isCancelled: () => isCancelled(cancelled),
  };
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
