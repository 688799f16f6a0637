import { z } from 'zod';
import { Experiment } from '../../../../contracts/experiment.js';
import { EditExperimentBody, ExperimentParams } from '../../../../contracts/http.js';
import { deleteExperiment, editExperiment } from '../../../../experiments/control-experiment.js';
import { viewExperiment } from '../../../../experiments/experiment-view.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TAGS = ['experiments'];

/** /experiments/:id */
export default async function experimentRoutes(
  app: HttpApp,
  { store, environment, ...services }: Uses<'store' | 'log' | 'bus' | 'queue' | 'environment'>,
): Promise<void> {
  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'Get an experiment with its latest and best metrics',
        params: ExperimentParams,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params }) => viewExperiment(store, findExperiment(store, params.id)),
  );

  app.patch(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'Change name, tags, notes or priority',
        params: ExperimentParams,
        body: EditExperimentBody,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => editExperiment(store, params.id, body),
  );

  app.delete(
    '',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete an experiment with its events, metrics and files',
        params: ExperimentParams,
        response: withProblems({ 204: z.undefined().describe('Deleted') }),
      },
    },
    async ({ params }, reply) => {
      await deleteExperiment({ store, ...services }, environment.dataDir, params.id);
      return reply.code(204).send();
    },
  );
}
