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
    'From the best weights so far, also while training goes on. With Accept: text/plain the prompt and its continuation as plain text. With Accept: text/event-stream as it is written: events `text` with {text, tokens}, whose texts joined are the text, then `done` with the whole answer as in JSON, or `error` with a problem. Who leaves stops it. The same seed gives the same text, whatever else is written. With `n` above 1 several texts are written side by side: `choices` has them all, events say which by `index`, plain texts have an empty line between them.',
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
    { config: CONFIG, schema: { ...schema, summary: 'Write text', querystring: GenerateInput } },
    async (request, reply) => answer(request.query, request, reply),
  );
  app.post(
    '/generate',
    {
      config: CONFIG,
      schema: {
        ...schema,
        summary: 'Write text; for prompts too long for an address',
        body: GenerateInput,
      },
    },
    async (request, reply) => answer(request.body, request, reply),
  );
}
