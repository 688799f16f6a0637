import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { GenerateInput } from '../../contracts/http.js';
import { generateSeveral } from '../../experiments/use-model.js';
import type { HttpApp, ModelParts, Uses } from '../http-app.js';
import { answerText, TEXT_RESPONSES } from '../streams/text-answer.js';

const TAGS = ['models'];
const CONFIG = { scope: 'read', costs: 'inference' } as const;
const schema = {
  tags: TAGS,
  description:
    'Uses the best weights so far, even during training. With Accept: text/plain, the response is the prompt and its continuation as plain text. With Accept: text/event-stream, the text is streamed: events `text` with {text, tokens}, whose concatenated texts are the text, then `done` with the complete JSON response, or `error` with a problem. Disconnecting cancels the generation. The same seed gives the same text, independent of other requests. With `n` above 1, several texts are generated in parallel: `choices` has all of them, events have an `index`, plain texts are separated by an empty line.',
  response: TEXT_RESPONSES,
};

/** /generate */
export default async function generateRoutes(
  app: HttpApp,
  { streams, ...services }: Uses<ModelParts | 'streams'>,
): Promise<void> {
  const { maxStreamBufferBytes: maxBufferBytes } = services.environment;
  const answer = (
    { experiment, ...asked }: z.infer<typeof GenerateInput>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) =>
    answerText(request, reply, { streams, maxBufferBytes }, (options) =>
      generateSeveral(services, experiment, asked, options),
    );

  app.get(
    '/generate',
    { config: CONFIG, schema: { ...schema, summary: 'Generate text', querystring: GenerateInput } },
    async (request, reply) => answer(request.query, request, reply),
  );
  app.post(
    '/generate',
    {
      config: CONFIG,
      schema: {
        ...schema,
        summary: 'Generate text; for prompts that are too long for a URL',
        body: GenerateInput,
      },
    },
    async (request, reply) => answer(request.body, request, reply),
  );
}
