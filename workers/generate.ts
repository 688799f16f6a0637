/** Entry point of an inference thread. */
import { workerData } from 'node:worker_threads';
import { type InferenceThreadTask, runConnected } from '../src/compute/inference-thread-task.js';
import {
  type BackendReport,
  type InferenceResults,
  type InferenceTask,
  InferenceThreadOptions,
} from '../src/contracts/jobs.js';
import { loadBackend } from '../src/kernels/backend.js';
import { InferenceTasks } from '../src/tasks/inference-tasks.js';

const tasks = new InferenceTasks(InferenceThreadOptions.parse(workerData.options));

export async function probeBackend(): Promise<BackendReport> {
  return (await loadBackend()).report;
}

/** @throws AppError */
export default function run({
  task,
  ...ends
}: InferenceThreadTask): Promise<InferenceResults[InferenceTask['type']]> {
  return runConnected(ends, (context) => tasks.run(task, context));
}
