/**
 * The entry point of a pool thread: passes each task to the worker module and serializes its errors. An error
 * that is passed between threads directly loses its code and details.
 */
import { workerData } from 'node:worker_threads';
import type { SerializedError } from '../contracts/serialized-error.js';
import { deserializeError, serializeError } from '../errors.js';

/** A worker module: `workers/train.ts`, `workers/generate.ts`, or a test's fixture. */
export interface WorkerModule {
  readonly default: (task: unknown) => Promise<unknown>;
  /** Loads TensorFlow and reports the backend. */
  readonly probeBackend: () => Promise<unknown>;
}

export interface ThreadData {
  /** URL of the worker module. */
  readonly workerUrl: string;
  /** For the worker module. */
  readonly options: unknown;
}

export type ThreadAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: SerializedError };

/** What a task returned. @throws AppError what it threw */
export function unwrap(answer: ThreadAnswer): unknown {
  if (answer.ok) return answer.value;
  throw deserializeError(answer.error);
}

export default function runTask(task: unknown): Promise<ThreadAnswer> {
  return answer((worker) => worker.default(task));
}

export function probeBackend(): Promise<ThreadAnswer> {
  return answer((worker) => worker.probeBackend());
}

async function answer(call: (worker: WorkerModule) => Promise<unknown>): Promise<ThreadAnswer> {
  try {
    const { workerUrl } = workerData as ThreadData;
    return { ok: true, value: await call(await import(workerUrl)) };
  } catch (error) {
    return { ok: false, error: serializeError(error) };
  }
}
