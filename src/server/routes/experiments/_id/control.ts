import { Experiment } from '../../../../contracts/experiment.js';
import { ContinueBody, ExperimentParams } from '../../../../contracts/http.js';
import {
  cancelExperiment,
  continueExperiment,
  killExperiment,
  pauseExperiment,
  resumeExperiment,
  retryExperiment,
} from '../../../../experiments/control-experiment.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TAGS = ['experiments'];
const VERBS = {
  cancel: {
    run: cancelExperiment,
    summary: 'End an experiment for good; its best weights so far stay usable',
  },
  kill: {
    run: killExperiment,
    summary: 'End an experiment now, without a last checkpoint; for one that does not heed a cancel',
  },
  pause: { run: pauseExperiment, summary: 'Write a checkpoint at the next step and free the slot' },
  resume: {
    run: resumeExperiment,
    summary: 'Queue a paused or interrupted experiment again; it goes on from its latest checkpoint',
  },
  retry: {
    run: retryExperiment,
    summary:
      'Queue an experiment again that failed, was cancelled or was interrupted; it goes on from its latest checkpoint, if it has one',
  },
} as const;
const VERB_DESCRIPTION = 'Idempotent. An experiment in a state that the verb does not fit answers 409.';

/** The verbs of /experiments/:id */
export default async function controlRoutes(
  app: HttpApp,
  { environment, ...services }: Uses<'store' | 'log' | 'bus' | 'queue' | 'environment'>,
): Promise<void> {
  for (const [verb, { run, summary }] of Object.entries(VERBS)) {
    app.post(
      `/${verb}`,
      {
        schema: {
          tags: TAGS,
          summary,
          description: VERB_DESCRIPTION,
          params: ExperimentParams,
          response: withProblems({ 200: Experiment }),
        },
      },
      async ({ params }) => run(services, params.id),
    );
  }

  app.post(
    '/continue',
    {
      schema: {
        tags: TAGS,
        summary: 'Train an experiment that succeeded for more epochs, from where it ended',
        description: `${VERB_DESCRIPTION} Early stopping and the longest time no longer hold: the epochs are done. Schedules that run over all epochs (cosine, one-cycle) are stretched over the longer training.`,
        params: ExperimentParams,
        body: ContinueBody,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => continueExperiment(services, environment.dataDir, params.id, body),
  );
}
