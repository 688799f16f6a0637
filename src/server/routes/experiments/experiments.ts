import { ExperimentInput } from '../../../contracts/experiment-config.js';
import {
  CreatedExperiment,
  CreateExperimentQuery,
  ExperimentPageBody,
  ExperimentPlan,
  IdempotencyHeaders,
  ListExperimentsQuery,
} from '../../../contracts/http.js';
import { createExperiment, planExperiment } from '../../../experiments/create-experiment.js';
import { listExperiments } from '../../../experiments/list-experiments.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';
import { clientSignal } from '../../streams/client-signal.js';
import { compileValidationButBody } from '../../validation.js';

const TAGS = ['experiments'];

/** /experiments */
export default async function experimentsRoutes(
  app: HttpApp,
  services: Uses<'store' | 'queue' | 'corpora' | 'environment' | 'folder' | 'executor'>,
): Promise<void> {
  app.post(
    '',
    {
      config: { costs: 'training' },
      schema: {
        tags: TAGS,
        summary: 'Queue an experiment',
        description:
          'With dryRun, nothing is stored: the response is the resolved experiment and its estimated cost, from a trial run of some seconds on the inference host. Fields that the body omits are taken from the preset, then from the defaults; the response contains the complete config and warnings about settings that do not suit the text. Unknown keys, and texts that are too short for the config, are refused.',
        querystring: CreateExperimentQuery,
        headers: IdempotencyHeaders,
        body: ExperimentInput,
        response: withProblems({ 201: CreatedExperiment, 200: ExperimentPlan }),
      },
      validatorCompiler: compileValidationButBody,
    },
    async (request, reply) => {
      if (request.query.dryRun)
        return reply.code(200).send(await planExperiment(services, request.body, clientSignal(reply)));
      const key = request.headers['idempotency-key'];
      const { experiment, isNew } = await createExperiment(services, request.body, key);
      request.log.info({ experimentId: experiment.id, isNew }, 'experiment requested');
      if (!isNew) reply.header('idempotent-replayed', 'true');
      return reply.code(201).header('location', experiment.links.self!).send(experiment);
    },
  );

  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'List experiments',
        querystring: ListExperimentsQuery,
        response: withProblems({ 200: ExperimentPageBody }),
      },
    },
    async (request) => {
      const { state, sort, ...query } = request.query;
      const descending = sort.startsWith('-');
      return listExperiments(services.store, {
        ...query,
        states: state,
        sort: descending ? sort.slice(1) : sort,
        descending,
      });
    },
  );
}
