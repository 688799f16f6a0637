import {
  type InferenceResults,
  type InferenceTask,
  TASK_RESULTS,
  type TaskInput,
  type TaskMessage,
  type TaskRequest,
} from '../contracts/jobs.js';
import { type AppError, appError, deserializeError } from '../errors.js';
import { createDeferred, type Deferred } from './deferred.js';
import type { InferencePartOf, InferenceResultOf, RunOptions } from './inference-executor.js';
import { takePart } from './task-parts.js';

interface OpenTask {
  readonly type: InferenceTask['type'];
  readonly answer: Deferred<InferenceResults[InferenceTask['type']]>;
  readonly options: RunOptions<never>;
}

/** The tasks that another process runs: a host on this machine, or an inferencer. */
export class OpenTasks {
  readonly #send: (request: TaskRequest) => void;
  readonly #tasks = new Map<number, OpenTask>();
  #lastTaskId = 0;

  constructor(send: (request: TaskRequest) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#tasks.size;
  }

  run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>> {
    const taskId = ++this.#lastTaskId;
    const answer = createDeferred<InferenceResults[InferenceTask['type']]>();
    const { onPart, input, signal } = options;
    this.#tasks.set(taskId, { type: task.type, answer, options });
    this.#send({ type: 'run', taskId, task, streams: onPart !== undefined || input !== undefined });
    const cancel = () => this.#send({ type: 'cancel', taskId });
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    void answer.promise.catch(() => {}).finally(() => signal?.removeEventListener('abort', cancel));
    return answer.promise as Promise<InferenceResultOf<Task>>; // parsed by the schema of its type in receive
  }

  receive(message: TaskMessage): void {
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

  /** Rejects all: the process is gone. */
  fail(error: AppError): void {
    const tasks = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const { answer } of tasks) answer.reject(error);
  }

  /** Resolves when those that are open now have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#tasks.values()].map(({ answer }) => answer.promise));
  }

  #takePart(taskId: number, part: unknown): void {
    const task = this.#tasks.get(taskId);
    if (!task) return;
    const sendInput = (input: TaskInput) => this.#send({ type: 'input', taskId, input });
    takePart(task.type, part, task.options, sendInput).catch((error) => {
      if (this.#tasks.delete(taskId)) task.answer.reject(error);
      this.#send({ type: 'cancel', taskId });
    });
  }
}
