import { EvaluationRequest, EvaluationResult } from '../../../../contracts/generation.js';
import { ExperimentParams } from '../../../../contracts/http.js';
import type { Services } from '../../../../experiments/services.js';
import { evaluate } from '../../../../experiments/use-model.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

/** /experiments/:id/evaluate */
export function routeEvaluate(app: HttpApp, services: Services): void {
  app.post(
    '/experiments/:id/evaluate',
    {
      schema: {
        tags: ['models'],
        summary: 'Perplexity of an experiment’s model on a split of a corpus, or on a text',
        params: ExperimentParams,
        body: EvaluationRequest.meta({ examples: [{ split: 'test' }, { text: 'the cat sat on the mat' }] }),
        response: withProblems({ 200: EvaluationResult }),
      },
    },
    async ({ params, body }) => evaluate(services, params.id, body),
  );
}
