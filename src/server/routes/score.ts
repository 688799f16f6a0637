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
        summary: 'How surprising each token of a text is, or of many texts',
        description:
          'One `text`, or `texts`, which are answered as `items` in their order. With `inspect` each token also has `inside`: what each LSTM layer did when it was predicted (forget, candidate, input and output gate, cell and hidden values: mean, least and most; chosen `units` in full), and the likeliest tokens; `ablate` switches units off, so that their part in the surprisal shows. With `cache` what was read recently in the same text is mixed in, with `dynamic` the model learns from each segment after it was predicted.',
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
