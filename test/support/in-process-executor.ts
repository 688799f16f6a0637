import type {
  InferenceExecutor,
  InferenceResultOf,
  RunOptions,
} from '../../src/compute/inference-executor.js';
import { createCancelFlag, raiseCancelFlag } from '../../src/compute/inference-thread-task.js';
import type { InferenceTask } from '../../src/contracts/jobs.js';
import runTask from '../../workers/generate.js';

/** The real worker in the test's own process: models are real, and no host has to start. */
export class InProcessExecutor implements InferenceExecutor {
  async run<Task extends InferenceTask>(
    task: Task,
    { onPart, signal }: RunOptions = {},
  ): Promise<InferenceResultOf<Task>> {
    const cancelled = createCancelFlag();
    if (signal?.aborted) raiseCancelFlag(cancelled);
    signal?.addEventListener('abort', () => raiseCancelFlag(cancelled));
    const parts = onPart ? { postMessage: onPart } : null;
    return (await runTask({ task, parts, cancelled })) as InferenceResultOf<Task>;
  }

  backendReport(): null {
    return null;
  }

  processIds(): readonly number[] {
    return [];
  }

  async close(): Promise<void> {}
}
