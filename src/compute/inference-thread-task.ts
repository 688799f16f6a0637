/** A task of the inference host for a worker thread (`workers/generate.ts`), with what is not plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { InferenceTask, TaskInput } from '../contracts/jobs.js';
import { PacedParts } from './paced-parts.js';

export interface InferenceThreadTask {
  readonly task: InferenceTask;
  /**
   * The worker posts its parts here, in order, several in one message, and receives a TaskInput after requesting one; null =
   * nobody listens.
   */
  readonly parts: MessagePort | null;
  /** Four shared bytes, read at each token: not zero = cancelled. */
  readonly cancelled: SharedArrayBuffer;
}

/** What a task has of its caller; the `TaskContext` of src/tasks, which this folder does not know. */
export interface TaskConnection {
  readonly tell: ((part: unknown) => void) | null;
  nextInput(): Promise<TaskInput>;
  isCancelled(): boolean;
}

/**
 * Runs a task with the connection that it has in a thread, through its port and its flag: parts, input and cancellation. All parts
 * are posted when it ends.
 */
export async function runConnected<Result>(
  { parts, cancelled }: Omit<InferenceThreadTask, 'task'>,
  run: (connection: TaskConnection) => Promise<Result>,
): Promise<Result> {
  const paced = parts && new PacedParts(parts);
  try {
    return await run({
      tell: paced && ((part) => paced.add(part)),
      nextInput: () =>
        new Promise<TaskInput>((resolve) => {
          parts!.once('message', resolve); // a task that reads a text has a port
          paced!.add({ tokens: [], wantsMore: true });
          paced!.flush();
        }),
      isCancelled: () => isCancelled(cancelled),
    });
  } finally {
    paced?.flush();
  }
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
