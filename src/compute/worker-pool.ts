import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { BackendReport, type HostSettings } from '../contracts/jobs.js';
import { type ThreadAnswer, type ThreadData, unwrap } from './thread-entry.js';

/**
 * The threads of one host. They live as long as the host: a thread that loaded TensorFlow leaks its backend when it is
 * replaced, and terminating a thread inside a native call may crash the process. So there is no idle timeout,
 * and no abort. Several tasks may share a thread and take turns (workers/generate.ts).
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

  /** Whether a thread died of an uncaught error and was replaced: the process should be replaced when idle. */
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
