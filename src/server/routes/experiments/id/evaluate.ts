import { EvaluationRequest, EvaluationResult } from '../../../../contracts/evaluation.js';
import { ExperimentParams } from '../../../../contracts/http.js';
import type { Services } from '../../../../experiments/services.js';
import { evaluate } from '../../../../experiments/use-model.js';
import { preferredType } from '../../../accept.js';
import type { HttpApp } from '../../../http-app.js';
import { exampleText, TEXT_EXAMPLES } from '../../../openapi-examples.js';
import { withProblems } from '../../../problem.js';
import { answerEvents } from '../../../streams/answer-events.js';
import { clientSignal } from '../../../streams/client-signal.js';
import type { StreamRegistry } from '../../../streams/stream-registry.js';
import { EVENT_STREAM, TextStream } from '../../../streams/text-stream.js';

const JSON_TYPE = 'application/json';

/** /experiments/:id/evaluate */
export function routeEvaluate(app: HttpApp, services: Services, streams: StreamRegistry): void {
  const { maxStreamBufferBytes } = services.environment;
  app.post(
    '/experiments/:id/evaluate',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Perplexity of an experiment’s model on a split of a corpus, or on a text',
        description:
          'With `cache` what was read recently is mixed in (continuous cache), with `dynamic` the model learns from each segment after it was predicted; both can search their own hyper-parameters on the valid split, and the answer says what was used. With Accept: text/event-stream it tells how far it is: events `progress` with {phase, tokens, totalTokens, perplexity}, then `done` with the answer as in JSON, or `error` with a problem. Who leaves ends it.',
        params: ExperimentParams,
        body: EvaluationRequest.meta({
          examples: [{ split: 'test' }, { text: 'the cat sat on the mat' }, { split: 'test', cache: {} }],
        }),
        response: withProblems({
          200: {
            description: 'What was measured',
            content: {
              [JSON_TYPE]: { schema: EvaluationResult },
              [EVENT_STREAM]: { schema: exampleText(TEXT_EXAMPLES.evaluationEvents) },
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
