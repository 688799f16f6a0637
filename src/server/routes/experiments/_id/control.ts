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
    summary: 'Cancel an experiment; its best weights so far stay usable',
  },
  kill: {
    run: killExperiment,
    summary:
      'Stop an experiment immediately, without a final checkpoint; for one that does not respond to cancel',
  },
  pause: { run: pauseExperiment, summary: 'Write a checkpoint at the next step and free the slot' },
  resume: {
    run: resumeExperiment,
    summary: 'Requeue a paused or interrupted experiment; it continues from its latest checkpoint',
  },
  retry: {
    run: retryExperiment,
    summary:
      'Requeue a failed, cancelled or interrupted experiment; it continues from its latest checkpoint, if it has one',
  },
} as const;
const VERB_DESCRIPTION = 'Idempotent. Answers 409 if the state of the experiment does not allow it.';

/** The actions of /experiments/:id */
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
        summary: 'Train a succeeded experiment for more epochs, from its last state',
        description: `${VERB_DESCRIPTION} Early stopping, maxDuration, timeBudget and maxSteps are disabled, so that all epochs are trained. Schedules that span all epochs (cosine, one-cycle) are stretched over the longer training.`,
        params: ExperimentParams,
        body: ContinueBody,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => continueExperiment(services, environment.dataDir, params.id, body),
  );
}
