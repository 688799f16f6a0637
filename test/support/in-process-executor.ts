import type { InferenceExecutor, InferenceResultOf } from '../../src/compute/inference-executor.js';
import type { InferenceTask } from '../../src/contracts/jobs.js';
import runTask from '../../workers/generate.js';

/** The real worker in the test's own process: models are real, and no host has to start. */
export class InProcessExecutor implements InferenceExecutor {
  async run<Task extends InferenceTask>(task: Task): Promise<InferenceResultOf<Task>> {
    return (await runTask(task)) as InferenceResultOf<Task>;
  }

  backendReport(): null {
    return null;
  }

  processIds(): readonly number[] {
    return [];
  }

  async close(): Promise<void> {}
}
