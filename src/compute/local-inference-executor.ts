import { fileURLToPath } from 'node:url';
import { InferenceLimits } from '../contracts/inference-limits.js';
import {
  type BackendReport,
  type FileSource,
  InferenceHostMessage,
  type InferenceHostRequest,
  type InferenceTask,
  type TaskMessage,
} from '../contracts/jobs.js';
import { appError } from '../errors.js';
import { AUTOMATIC_COMPUTE, type ComputeOptions } from './host-environment.js';
import type { HostStats } from './host-stats.js';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from './inference-executor.js';
import { OpenTasks } from './open-tasks.js';
import { SupervisedHost } from './supervised-host.js';

export interface InferenceHostLimits extends InferenceLimits {
  /** Time between two heartbeats of the host. */
  readonly heartbeatIntervalMs: number;
  /** A host without a heartbeat for longer is killed. */
  readonly hostSilenceMs: number;
  /** Maximum number of open tasks, including running ones. */
  readonly openTasks: number;
  /** Time that open tasks have when the server stops. */
  readonly closeMs: number;
}

const DEFAULT_LIMITS: InferenceHostLimits = {
  heartbeatIntervalMs: 5_000,
  hostSilenceMs: 60_000,
  openTasks: 64,
  ...InferenceLimits.parse({}),
  closeMs: 2_000,
};

export interface LocalInferenceExecutorOptions {
  readonly files: FileSource;
  /** Threads, each with its own warm models. One thread also generates texts in parallel. */
  readonly threads?: number;
  readonly compute?: ComputeOptions;
  /** The worker module; tests replace it. */
  readonly workerFile?: string;
  readonly limits?: Partial<InferenceHostLimits>;
}

type Host = SupervisedHost<InferenceHostRequest, TaskMessage>;

const NICENESS = 0;
const MEMORY_KILL_SCORE = 500;

/**
 * Generates, scores and evaluates in a child process, which is started when it is first needed and restarted
 * after it died. A crash fails only the open tasks.
 */
export class LocalInferenceExecutor implements InferenceExecutor {
  readonly #host: Host;
  readonly #limits: InferenceHostLimits;
  readonly #tasks = new OpenTasks((request) =>
    request.type === 'run' ? this.#host.request(request) : this.#host.tell(request),
  );
  #closing: Promise<void> | null = null;

  constructor({
    threads = 1,
    compute = AUTOMATIC_COMPUTE,
    workerFile = defaultWorkerFile(),
    limits = {},
    files,
  }: LocalInferenceExecutorOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const { openTasks, streams, promptCacheBytes, warmModelBytes } = this.#limits;
    this.#host = new SupervisedHost<InferenceHostRequest, TaskMessage>(
      {
        name: 'inference',
        compute,
        settings: {
          workerFile,
          threads,
          tasksPerThread: openTasks,
          options: { ...files, streams, promptCacheBytes, warmModelBytes },
          niceness: NICENESS,
          memoryKillScore: MEMORY_KILL_SCORE,
          heartbeatIntervalMs: this.#limits.heartbeatIntervalMs,
        },
        schema: InferenceHostMessage,
        silenceLimitMs: this.#limits.hostSilenceMs,
        onMessage: (message) => this.#tasks.receive(message),
        onEnd: ({ exitCode, signal }) =>
          this.#tasks.fail(appError('host-died', { host: 'inference', exitCode, signal })),
      },
      { type: 'shutdown' },
    );
  }

  async run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>> = {},
  ): Promise<InferenceResultOf<Task>> {
    if (this.#closing)
      throw appError('host-unavailable', { host: 'inference', reason: 'the server is stopping' });
    const limit = this.#limits.openTasks;
    if (this.#tasks.size >= limit)
      throw appError('queue-full', { what: 'The queue of generation tasks', limit });
    return this.#tasks.run(task, options);
  }

  /** Loads TensorFlow without waiting for the first task. @throws backend-unavailable, host-died */
  warmUp(): Promise<BackendReport> {
    return this.#host.warmUp();
  }

  backendReport(): BackendReport | null {
    return this.#host.report;
  }

  unusableReason(): string | null {
    return this.#host.unusableReason;
  }

  hostStats(): HostStats {
    return this.#host.stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const timer = setTimeout(() => this.#host.kill('the server is stopping'), this.#limits.closeMs);
    await this.#tasks.settled();
    clearTimeout(timer);
    await this.#host.shutDown();
  }
}

function defaultWorkerFile(): string {
  return fileURLToPath(new URL('../../workers/generate.js', import.meta.url));
}
