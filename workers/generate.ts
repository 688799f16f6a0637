/** Entry point of an inference thread. */
import { workerData } from 'node:worker_threads';
import { type InferenceThreadTask, isCancelled } from '../src/compute/inference-thread-task.js';
import { InferenceLimits } from '../src/contracts/inference-limits.js';
import type { BackendReport, InferenceResults, InferenceTask } from '../src/contracts/jobs.js';
import { InferenceTasks } from '../src/tasks/inference-tasks.js';
import { loadBackend } from '../src/tensor/backend.js';

const tasks = new InferenceTasks(InferenceLimits.parse(workerData?.options ?? {})); // no worker's data where a test runs it by itself

export function probeBackend(): Promise<BackendReport> {
  return loadBackend();
}

/** @throws AppError */
export default function run({
  task,
  parts,
  cancelled,
}: InferenceThreadTask): Promise<InferenceResults[InferenceTask['type']]> {
  return tasks.run(task, {
    tell: parts && ((part) => parts.postMessage(part)),
    nextInput: () =>
      new Promise((resolve) => {
        parts!.once('message', resolve); // a task that reads a text has a port
        parts!.postMessage({ tokens: [], wantsMore: true });
      }),
    isCancelled: () => isCancelled(cancelled),
  });
}
