import { z } from 'zod';
import { Experiment } from '../../../../contracts/experiment.js';
import { EditExperimentBody, ExperimentParams } from '../../../../contracts/http.js';
import {
  cancelExperiment,
  deleteExperiment,
  editExperiment,
  pauseExperiment,
  resumeExperiment,
} from '../../../../experiments/control-experiment.js';
import { viewExperiment } from '../../../../experiments/experiment-view.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import type { Services } from '../../../../experiments/services.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TAGS = ['experiments'];
const VERBS = {
  cancel: {
    run: cancelExperiment,
    summary: 'End an experiment for good; its best weights so far stay usable',
  },
  pause: { run: pauseExperiment, summary: 'Write a checkpoint at the next step and free the slot' },
  resume: {
    run: resumeExperiment,
    summary: 'Queue a paused or interrupted experiment again; it goes on from its latest checkpoint',
  },
} as const;

/** /experiments/:id and its verbs */
export function routeExperiment(app: HttpApp, services: Services): void {
  const { store, environment } = services;
  app.get(
    '/experiments/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'One experiment, with its latest and best metrics',
        params: ExperimentParams,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params }) => viewExperiment(store, findExperiment(store, params.id)),
  );

  app.patch(
    '/experiments/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'Change name, tags, notes or priority',
        params: ExperimentParams,
        body: EditExperimentBody.meta({ examples: [{ name: 'A better name', tags: ['paper'] }] }),
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => editExperiment(store, params.id, body),
  );

  app.delete(
    '/experiments/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'Delete an experiment with its events, metrics and files',
        params: ExperimentParams,
        response: withProblems({ 204: z.undefined().describe('Deleted') }),
      },
    },
    async ({ params }, reply) => {
      await deleteExperiment(services, environment.dataDir, params.id);
      return reply.code(204).send();
    },
  );

  for (const [verb, { run, summary }] of Object.entries(VERBS)) {
    app.post(
      `/experiments/:id/${verb}`,
      {
        schema: {
          tags: TAGS,
          summary,
          description:
            'Asking twice is asking once. An experiment in a state that the verb does not fit answers 409.',
          params: ExperimentParams,
          response: withProblems({ 200: Experiment }),
        },
      },
      async ({ params }) => run(services, params.id),
    );
  }
}
