import { SweepInput } from '../../../contracts/sweep.js';
import {
  CreateSweepQuery,
  ListSweepsQuery,
  Sweep,
  SweepPage,
  SweepPlanBody,
} from '../../../contracts/sweep-view.js';
import type { Services } from '../../../experiments/services.js';
import { listSweeps } from '../../../experiments/sweeps/list-sweeps.js';
import { planSweep } from '../../../experiments/sweeps/plan-sweep.js';
import type { HttpApp } from '../../http-app.js';
import { withProblems } from '../../problem.js';
import { clientSignal } from '../../streams/client-signal.js';
import { compileValidationButBody } from '../../validation.js';

const TAGS = ['sweeps'];

/** /sweeps */
export default async function sweepsRoutes(
  app: HttpApp,
  {
    sweeps,
    store,
    corpora,
    executor,
    trainingExecutor,
  }: Pick<Services, 'sweeps' | 'store' | 'corpora' | 'executor' | 'trainingExecutor'>,
): Promise<void> {
  app.post(
    '',
    {
      config: { costs: 'training' },
      schema: {
        tags: TAGS,
        summary: 'Start a hyperparameter search',
        description:
          'Each trial is an ordinary experiment, tagged sweep:ID. Paths and values of the space are checked against the config of POST /experiments before anything trains. With dryRun, nothing is stored: the response lists the first points and the estimated duration.',
        querystring: CreateSweepQuery,
        body: SweepInput,
        response: withProblems({ 201: Sweep, 200: SweepPlanBody }),
      },
      validatorCompiler: compileValidationButBody,
    },
    async (request, reply) => {
      if (request.query.dryRun) {
        const dependencies = { corpora, executor, slots: trainingExecutor.capacity() };
        return reply.code(200).send(await planSweep(dependencies, request.body, clientSignal(reply)));
      }
      const sweep = await sweeps.create(request.body);
      return reply.code(201).header('location', `/sweeps/${sweep.id}`).send(sweep);
    },
  );

  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'List sweeps, newest first',
        querystring: ListSweepsQuery,
        response: withProblems({ 200: SweepPage }),
      },
    },
    async ({ query }) => listSweeps(store, query),
  );
}
