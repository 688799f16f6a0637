import { fileURLToPath } from 'node:url';
import { InferenceLimits } from '../contracts/inference-limits.js';
import {
  type BackendReport,
  type FileSource,
  type HostReport,
  InferenceHostMessage,
  type InferenceHostRequest,
  type InferenceResults,
  type InferenceTask,
  TASK_RESULTS,
  type TaskInput,
} from '../contracts/jobs.js';
import { appError, deserializeError } from '../errors.js';
import { createDeferred, type Deferred } from './deferred.js';
import { AUTOMATIC_COMPUTE, type ComputeOptions } from './host-environment.js';
import type { HostEnd } from './host-process.js';
import type { HostStats } from './host-stats.js';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from './inference-executor.js';
import { SupervisedHost } from './supervised-host.js';
import { takePart } from './task-parts.js';

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

interface OpenTask {
  readonly type: InferenceTask['type'];
  readonly answer: Deferred<InferenceResults[InferenceTask['type']]>;
  readonly options: RunOptions<never>;
}

type Message = Exclude<InferenceHostMessage, HostReport>;
type Host = SupervisedHost<InferenceHostRequest, Message>;

const NICENESS = 0;
const MEMORY_KILL_SCORE = 500;

/**
 * Generates, scores and evaluates in a child process, which is started when it is first needed and restarted
 * after it died. A crash fails only the open tasks.
 */
export class LocalInferenceExecutor implements InferenceExecutor {
  readonly #host: Host;
  readonly #limits: InferenceHostLimits;
  readonly #tasks = new Map<number, OpenTask>();
  #lastTaskId = 0;
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
    this.#host = new SupervisedHost<InferenceHostRequest, Message>(
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
        onMessage: (message) => this.#receive(message),
        onEnd: (end) => this.#failOpenTasks(end),
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
    const taskId = ++this.#lastTaskId;
    const answer = createDeferred<InferenceResults[InferenceTask['type']]>();
    const { onPart, input, signal } = options;
    this.#tasks.set(taskId, { type: task.type, answer, options });
    this.#host.request({ type: 'run', taskId, task, streams: onPart !== undefined || input !== undefined });
    const cancel = () => this.#host.tell({ type: 'cancel', taskId });
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    void answer.promise.catch(() => {}).finally(() => signal?.removeEventListener('abort', cancel));
    return answer.promise as Promise<InferenceResultOf<Task>>; // parsed by the schema of its type in #receive
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
    await Promise.allSettled([...this.#tasks.values()].map(({ answer }) => answer.promise));
    clearTimeout(timer);
    await this.#host.shutDown();
  }

  #receive(message: Message): void {
    if (message.type === 'parts') {
      for (const [taskId, part] of message.parts) this.#takePart(taskId, part);
      return;
    }
    const task = this.#tasks.get(message.taskId);
    if (!task) return;
    this.#tasks.delete(message.taskId);
    switch (message.type) {
      case 'done': {
        const result = TASK_RESULTS[task.type].safeParse(message.result);
        if (result.success) task.answer.resolve(result.data);
        else task.answer.reject(appError('internal', {}, result.error));
        break;
      }
      case 'failed':
        task.answer.reject(deserializeError(message.error));
        break;
      default:
        message satisfies never;
    }
  }

  #takePart(taskId: number, part: unknown): void {
    const task = this.#tasks.get(taskId);
    if (!task) return;
    const sendInput = (input: TaskInput) => this.#host.tell({ type: 'input', taskId, input });
    takePart(task.type, part, task.options, sendInput).catch((error) => {
      if (this.#tasks.delete(taskId)) task.answer.reject(error);
      this.#host.tell({ type: 'cancel', taskId });
    });
  }

  #failOpenTasks({ exitCode, signal }: HostEnd): void {
    const tasks = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const { answer } of tasks)
      answer.reject(appError('host-died', { host: 'inference', exitCode, signal }));
  }
}

function defaultWorkerFile(): string {
  return fileURLToPath(new URL('../../workers/generate.js', import.meta.url));
}
