import { z } from 'zod';
import { ScoreInput, ScoreQuery } from '../../contracts/http.js';
import { ScoreList, ScoreResult } from '../../contracts/score.js';
import { score } from '../../experiments/use-model.js';
import type { HttpApp, ModelParts, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';
import { clientSignal } from '../streams/client-signal.js';

/** /score */
export default async function scoreRoutes(app: HttpApp, services: Uses<ModelParts>): Promise<void> {
  app.post(
    '/score',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Score texts: the surprisal of each token',
        description:
          'One `text`, or `texts`, whose results are returned as `items` in the same order. With `inspect`, each token also has `inside`: the activations of each recurrent layer when it was predicted (for an LSTM: forget, candidate, input and output gate, cell and hidden values: mean, minimum and maximum; selected `units` in full), and the most likely tokens; `ablate` switches units off to show their effect on the surprisal. With `cache`, recently read tokens of the same text are mixed into the predictions; with `dynamic`, the model adapts to each segment after it was predicted.',
        querystring: ScoreQuery,
        body: ScoreInput,
        response: withProblems({ 200: z.union([ScoreResult, ScoreList]) }),
      },
    },
    async ({ query, body: { experiment, ...request } }, reply) =>
      score(
        services,
        experiment,
        { ...request, inspect: query.inspect ?? request.inspect },
        { signal: clientSignal(reply) },
      ),
  );
}
