import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { BackendReport, type HostSettings } from '../contracts/jobs.js';
import { deserializeError } from '../errors.js';
import type { ThreadAnswer, ThreadData } from './thread-entry.js';

/**
 * The threads of one host. They live as long as the host: a thread that loaded TensorFlow leaks its backend when it is
 * replaced, and a thread that is ended inside a native call may take the process with it. So there is no idle timeout,
 * and no abort. Several tasks share a thread where they wait for one another's steps (workers/generate.ts).
 */
export class WorkerPool {
  readonly #pool: Piscina<unknown, ThreadAnswer>;
  #threadLost = false;

  constructor({ workerFile, threads, tasksPerThread, options }: HostSettings) {
    const workerData: ThreadData = { workerUrl: pathToFileURL(workerFile).href, options };
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./thread-entry.js', import.meta.url)),
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: tasksPerThread,
      recordTiming: false,
      workerData,
    });
    this.#pool.on('error', () => {
      this.#threadLost = true;
    });
  }

  /** A thread has died of an uncaught error and was replaced: the process is to be replaced when it is idle. */
  get threadLost(): boolean {
    return this.#threadLost;
  }

  /** @throws AppError what the worker module threw, or `internal` when its thread died */
  async run(task: unknown, transferList: readonly MessagePort[] = []): Promise<unknown> {
    return unwrap(await this.#run(task, { transferList: [...transferList] }));
  }

  /** Loads TensorFlow in one thread. */
  async probeBackend(): Promise<BackendReport> {
    return BackendReport.parse(unwrap(await this.#run(undefined, { name: 'probeBackend' })));
  }

  async #run(task: unknown, options: { name?: string; transferList?: MessagePort[] }): Promise<ThreadAnswer> {
    try {
      return await this.#pool.run(task, options);
    } catch (error) {
      this.#threadLost = true; // the thread itself catches what a task throws
      throw error;
    }
  }
}

function unwrap(answer: ThreadAnswer): unknown {
  if (answer.ok) return answer.value;
  throw deserializeError(answer.error);
}
