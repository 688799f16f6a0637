import { z } from 'zod';
import { ExtendSweepBody, Sweep, SweepParams } from '../../../../contracts/sweep-view.js';
import type { Services } from '../../../../experiments/services.js';
import { findSweep } from '../../../../experiments/sweeps/find-sweep.js';
import { viewSweep } from '../../../../experiments/sweeps/view-sweep.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TAGS = ['sweeps'];
const VERBS = {
  pause: 'Pause a sweep and all its experiments',
  resume: 'Resume a paused sweep',
  cancel: 'Cancel a sweep and its unfinished experiments',
} as const;
const VERB_DESCRIPTION = 'Idempotent. Answers 409 if the state of the sweep does not allow it.';

/** /sweeps/:id and its actions */
export default async function sweepRoutes(
  app: HttpApp,
  { sweeps, store }: Pick<Services, 'sweeps' | 'store'>,
): Promise<void> {
  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'Get a sweep with its best trial and the importance of each setting',
        params: SweepParams,
        response: withProblems({ 200: Sweep }),
      },
    },
    async ({ params }) => viewSweep(store, findSweep(store, params.id)),
  );

  app.delete(
    '',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete a sweep that has ended; its experiments are kept',
        params: SweepParams,
        response: withProblems({ 204: z.undefined().describe('Deleted') }),
      },
    },
    async ({ params }, reply) => {
      sweeps.delete(params.id);
      return reply.code(204).send();
    },
  );

  for (const verb of Object.keys(VERBS) as (keyof typeof VERBS)[]) {
    app.post(
      `/${verb}`,
      {
        schema: {
          tags: TAGS,
          summary: VERBS[verb],
          description: VERB_DESCRIPTION,
          params: SweepParams,
          response: withProblems({ 200: Sweep }),
        },
      },
      async ({ params }) => sweeps[verb](params.id),
    );
  }

  app.post(
    '/extend',
    {
      config: { costs: 'training' },
      schema: {
        tags: TAGS,
        summary: 'Raise the limits of a sweep; a finished one continues',
        params: SweepParams,
        body: ExtendSweepBody,
        response: withProblems({ 200: Sweep }),
      },
    },
    async ({ params, body }) => sweeps.extend(params.id, body),
  );
}
