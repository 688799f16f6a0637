/** Entry point of a training thread: one task is one attempt at one experiment. */
import { workerData } from 'node:worker_threads';
import { readStopFlag, type TrainingTask } from '../src/compute/training-task.js';
import { type BackendReport, FileSource, type TrainingOutcome } from '../src/contracts/jobs.js';
import { trainExperiment } from '../src/tasks/train-experiment.js';
import { loadBackend } from '../src/tensor/backend.js';

export function probeBackend(): Promise<BackendReport> {
  return loadBackend();
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
