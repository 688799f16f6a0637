import { exampleOf, textLike } from '../../../contracts/example-of.js';
import { Completion, CompletionRequest } from '../../../contracts/openai.js';
import { complete } from '../../../experiments/complete.js';
import { eventText } from '../../event-text.js';
import type { HttpApp, ModelParts, Uses } from '../../http-app.js';
import { toOpenAiError, withOpenAiErrors } from '../../openai-error.js';
import { recognizeError } from '../../problem.js';
import { clientSignal } from '../../streams/client-signal.js';
import { EVENT_STREAM, TextStream } from '../../streams/text-stream.js';

const EXAMPLE = eventText(null, { ...exampleOf(Completion), usage: undefined }) + eventText(null, '[DONE]');

/** /v1/completions */
export default async function completionRoutes(
  app: HttpApp,
  { streams, ...services }: Uses<ModelParts | 'streams'>,
): Promise<void> {
  const { maxStreamBufferBytes } = services.environment;
  app.post(
    '/completions',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Generate text; compatible with OpenAI’s API',
        description:
          'For OpenAI clients, with the address of this server and /v1 as base URL. `model` is the id or name of an experiment. With `stream`, the response is a stream of server-sent events that ends with `data: [DONE]`.',
        body: CompletionRequest,
        response: withOpenAiErrors({
          200: {
            description: 'The generated text',
            content: {
              'application/json': { schema: Completion },
              [EVENT_STREAM]: { schema: textLike(EXAMPLE) },
            },
          },
        }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      if (!body.stream)
        return reply
          .type('application/json')
          .send(await complete(services, body, { signal: clientSignal(reply) }));
      const stream = new TextStream(reply, streams, maxStreamBufferBytes);
      try {
        const onChunk = (chunk: Completion) => stream.send(JSON.stringify(chunk));
        await complete(services, body, { onChunk, signal: stream.signal });
        stream.send('[DONE]');
      } catch (error) {
        if (!stream.hasBegun) throw error;
        stream.send(JSON.stringify(toOpenAiError(recognizeError(error, request))));
      } finally {
        stream.end();
      }
      return reply;
    },
  );
}
