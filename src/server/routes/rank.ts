import { RankInput } from '../../contracts/http.js';
import { RankResult } from '../../contracts/score.js';
import { rank } from '../../experiments/use-model.js';
import type { HttpApp, ModelParts, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';
import { clientSignal } from '../streams/client-signal.js';

/** /rank */
export default async function rankRoutes(app: HttpApp, services: Uses<ModelParts>): Promise<void> {
  app.post(
    '/rank',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Rank alternative continuations of a prompt by probability',
        body: RankInput,
        response: withProblems({ 200: RankResult }),
      },
    },
    async ({ body: { experiment, ...request } }, reply) =>
      rank(services, experiment, request, { signal: clientSignal(reply) }),
  );
}
