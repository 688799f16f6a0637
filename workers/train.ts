/** Entry point of a training thread: one task is one attempt at one experiment. */
import { workerData } from 'node:worker_threads';
import { readStopFlag, type TrainingTask } from '../src/compute/training-task.js';
import { type BackendReport, FileSource, type TrainingOutcome } from '../src/contracts/jobs.js';
import { loadBackend } from '../src/kernels/backend.js';
import { trainExperiment } from '../src/tasks/train-experiment.js';

export async function probeBackend(): Promise<BackendReport> {
  return (await loadBackend()).report;
}

export default async function train({ job, events, stop }: TrainingTask): Promise<TrainingOutcome> {
  try {
    return await trainExperiment(job, FileSource.parse(workerData.options), {
      emit: (event) => events.postMessage(event),
      readStop: () => readStopFlag(stop),
    });
  } finally {
    events.close();
  }
}
