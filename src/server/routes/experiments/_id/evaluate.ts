import { EvaluationRequest, EvaluationResult } from '../../../../contracts/evaluation.js';
import { exampleOf, textLike } from '../../../../contracts/example-of.js';
import { ExperimentParams } from '../../../../contracts/http.js';
import { evaluate } from '../../../../experiments/use-model.js';
import { preferredType } from '../../../accept.js';
import { eventText } from '../../../event-text.js';
import type { HttpApp, ModelParts, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { answerEvents } from '../../../streams/answer-events.js';
import { clientSignal } from '../../../streams/client-signal.js';
import { EVENT_STREAM, TextStream } from '../../../streams/text-stream.js';

const JSON_TYPE = 'application/json';

const EXAMPLE =
  eventText('progress', { phase: 'evaluation', tokens: 350, totalTokens: 82_429, perplexity: 141.2 }) +
  eventText('done', exampleOf(EvaluationResult));

/** /experiments/:id/evaluate */
export default async function evaluateRoutes(
  app: HttpApp,
  { streams, ...services }: Uses<ModelParts | 'streams'>,
): Promise<void> {
  const { maxStreamBufferBytes } = services.environment;
  app.post(
    '/evaluate',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Perplexity of an experiment’s model on a split of a corpus, or on a text',
        description:
          'With `cache` what was read recently is mixed in (continuous cache), with `dynamic` the model learns from each segment after it was predicted; both can search their own hyper-parameters on the valid split, and the answer says what was used. With Accept: text/event-stream it tells how far it is: events `progress` with {phase, tokens, totalTokens, perplexity}, then `done` with the answer as in JSON, or `error` with a problem. Who leaves ends it.',
        params: ExperimentParams,
        body: EvaluationRequest,
        response: withProblems({
          200: {
            description: 'What was measured',
            content: {
              [JSON_TYPE]: { schema: EvaluationResult },
              [EVENT_STREAM]: { schema: textLike(EXAMPLE) },
            },
          },
        }),
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request;
      if (preferredType(headers.accept, [JSON_TYPE, EVENT_STREAM]) === JSON_TYPE)
        return reply
          .type(JSON_TYPE)
          .send(await evaluate(services, params.id, body, { signal: clientSignal(reply) }));
      const stream = new TextStream(reply, streams, maxStreamBufferBytes);
      return answerEvents(request, reply, stream, 'progress', (options) =>
        evaluate(services, params.id, body, options),
      );
    },
  );
}
