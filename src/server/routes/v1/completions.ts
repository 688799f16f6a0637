import { Completion, CompletionRequest } from '../../../contracts/openai.js';
import { complete } from '../../../experiments/complete.js';
import type { Services } from '../../../experiments/services.js';
import type { HttpApp } from '../../http-app.js';
import { toOpenAiError, withOpenAiErrors } from '../../openai-error.js';
import { exampleText, TEXT_EXAMPLES } from '../../openapi-examples.js';
import { recognizeError } from '../../problem.js';
import { clientSignal } from '../../streams/client-signal.js';
import type { StreamRegistry } from '../../streams/stream-registry.js';
import { EVENT_STREAM, TextStream } from '../../streams/text-stream.js';

/** /v1/completions */
export function routeCompletions(app: HttpApp, services: Services, streams: StreamRegistry): void {
  const { maxStreamBufferBytes } = services.environment;
  app.post(
    '/v1/completions',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['models'],
        summary: 'Write text, in the way of OpenAI’s interface',
        description:
          'For OpenAI’s clients, with this server’s address and /v1 as base URL. `model` is the id or the name of an experiment. With `stream` the answer is Server-Sent Events, the last of them `data: [DONE]`.',
        body: CompletionRequest.meta({
          examples: [{ model: 'my experiment', prompt: 'the', max_tokens: 50 }],
        }),
        response: withOpenAiErrors({
          200: {
            description: 'What was written',
            content: {
              'application/json': { schema: Completion },
              [EVENT_STREAM]: { schema: exampleText(TEXT_EXAMPLES.completionEvents) },
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
