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
        description:
          'With `cache` what was read recently is mixed in (continuous cache), with `dynamic` the model learns from each segment after it was predicted; both can search their own hyper-parameters on the valid split, and the answer says what was used.',
        params: ExperimentParams,
        body: EvaluationRequest.meta({
          examples: [{ split: 'test' }, { text: 'the cat sat on the mat' }, { split: 'test', cache: {} }],
        }),
        response: withProblems({ 200: EvaluationResult }),
      },
    },
    async ({ params, body }) => evaluate(services, params.id, body),
  );
}
