/** What the inference host hands to a worker thread (`workers/generate.ts`), beyond plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { InferenceTask, TaskInput } from '../contracts/jobs.js';

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

/** What a task that runs in a thread says, asks and is told, through its port and its flag. */
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
