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
        summary: 'Evaluate a model on a split of a corpus, or on a text',
        description:
          'With `cache`, recently read tokens are mixed into the predictions (continuous cache); with `dynamic`, the model adapts to each segment after it was predicted (dynamic evaluation). Both can search their hyperparameters on the valid split; the response contains the values that were used. With Accept: text/event-stream, the response is a stream of `progress` events with {phase, tokens, totalTokens, perplexity}, then `done` with the JSON response, or `error` with a problem. Disconnecting cancels the evaluation.',
        params: ExperimentParams,
        body: EvaluationRequest,
        response: withProblems({
          200: {
            description: 'The result of the evaluation',
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
