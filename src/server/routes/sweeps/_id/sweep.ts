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
  resume: 'Go on with a paused sweep',
  cancel: 'End a sweep for good, and its experiments that have not ended',
} as const;
const VERB_DESCRIPTION = 'Idempotent. A sweep in a state that the verb does not fit answers 409.';

/** /sweeps/:id and its verbs */
export default async function sweepRoutes(
  app: HttpApp,
  { sweeps, store }: Pick<Services, 'sweeps' | 'store'>,
): Promise<void> {
  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'One sweep: the best trial so far, the importance of each setting',
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
        summary: 'Forget a sweep that is over; its experiments stay',
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
        summary: 'Raise the limits of a sweep; a finished one goes on',
        params: SweepParams,
        body: ExtendSweepBody,
        response: withProblems({ 200: Sweep }),
      },
    },
    async ({ params, body }) => sweeps.extend(params.id, body),
  );
}
