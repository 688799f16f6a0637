import { ExperimentConfig } from '../../src/contracts/experiment-config.js';
import type { TrainingJob } from '../../src/contracts/jobs.js';

/** A job for workers that read nothing but its id. */
export function trainingJob(experimentId: string): TrainingJob {
  return {
    experimentId,
    attempt: 1,
    config: ExperimentConfig.parse({}),
    experimentDirectory: '/nonexistent',
    dataDirectory: '/nonexistent',
    corporaMirror: null,
    resume: false,
    initialDirectory: null,
  };
}
