import { MessageChannel as ThreadChannel } from 'node:worker_threads';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from '../../src/compute/inference-executor.js';
import { createCancelFlag, raiseCancelFlag, runConnected } from '../../src/compute/inference-thread-task.js';
import { takePart } from '../../src/compute/task-parts.js';
import { drain } from '../../src/compute/thread-port.js';
import { InferenceLimits } from '../../src/contracts/inference-limits.js';
import type { InferenceTask } from '../../src/contracts/jobs.js';
import { InferenceTasks } from '../../src/tasks/inference-tasks.js';

/** The real worker in the test's own process: models are real, and no host has to start. */
export class InProcessExecutor implements InferenceExecutor {
  readonly #tasks: InferenceTasks;

  constructor(dataDirectory: string) {
    this.#tasks = new InferenceTasks({ ...InferenceLimits.parse({}), dataDirectory, mirror: null });
  }

  async run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>> = {},
  ): Promise<InferenceResultOf<Task>> {
    const { onPart, input, signal } = options;
    const cancelled = createCancelFlag();
    const { port1: parts, port2: workerPort } = new ThreadChannel();
    const cancel = () => {
      raiseCancelFlag(cancelled);
      parts.postMessage(null);
    };
    let failed: { readonly error: unknown } | null = null;
    const take = (part: unknown) => {
      takePart(task.type, part, options, (text) => parts.postMessage(text)).catch((error) => {
        failed ??= { error };
        cancel();
      });
    };
    const takeAll = (some: readonly unknown[]) => {
      for (const part of some) take(part);
    };
    parts.on('message', takeAll);
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    try {
      const ends = { parts: onPart || input ? workerPort : null, cancelled };
      const result = await runConnected(ends, (context) => this.#tasks.run(task, context));
      drain(parts, takeAll);
      return result as InferenceResultOf<Task>;
    } catch (error) {
      throw failed ? (failed as { error: unknown }).error : error;
    } finally {
      parts.close();
    }
  }

  backendReport(): null {
    return null;
  }

  unusableReason(): string | null {
    return null;
  }

  async close(): Promise<void> {}
}

/** Makes one, as an option of a service. */
export function inProcess(dataDirectory: string): InProcessExecutor {
  return new InProcessExecutor(dataDirectory);
}
