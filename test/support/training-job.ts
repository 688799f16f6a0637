import { ExperimentConfig } from '../../src/contracts/experiment-config.js';
import type { TrainingJob } from '../../src/contracts/jobs.js';

/** A job for workers that read nothing but its id. */
export function trainingJob(experimentId: string): TrainingJob {
  return {
    experimentId,
    attempt: 1,
    config: ExperimentConfig.parse({}),
    folder: `experiments/${experimentId}`,
    resume: false,
    initial: null,
  };
}

/** Files for workers that read none. */
export const NO_FILES = { dataDirectory: '/nonexistent', mirror: null } as const;
