import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GenerationAnswer, type GenerationPart, ScoreResult } from '../../contracts/generation.js';
import { GenerateInput, ScoreInput } from '../../contracts/http.js';
import type { Services } from '../../experiments/services.js';
import { generateSeveral, score } from '../../experiments/use-model.js';
import { preferredType } from '../accept.js';
import type { HttpApp } from '../http-app.js';
import { recognizeError, toProblem, withProblems } from '../problem.js';
import { clientSignal } from '../streams/client-signal.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { EVENT_STREAM, TextStream } from '../streams/text-stream.js';

const TAGS = ['models'];
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';
const EXAMPLE = { prompt: 'the', maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 };
const schema = {
  tags: TAGS,
  description:
    'From the best weights so far, also while training goes on. With Accept: text/plain the prompt and its continuation as plain text. With Accept: text/event-stream as it is written: events `text` with {text, tokens}, whose texts joined are the text, then `done` with the whole answer as in JSON, or `error` with a problem. Who leaves stops it. The same seed gives the same text, whatever else is written. With `n` above 1 several texts are written side by side: `choices` has them all, events say which by `index`, plain texts have an empty line between them.',
  response: withProblems({
    200: {
      description: 'What was written',
      content: {
        [JSON_TYPE]: { schema: GenerationAnswer },
        [TEXT_TYPE]: { schema: z.string() },
        [EVENT_STREAM]: { schema: z.string() },
      },
    },
  }),
};

/** /generate and /score */
export function routeGenerate(app: HttpApp, services: Services, streams: StreamRegistry): void {
  const answer = async (
    { experiment, ...asked }: z.infer<typeof GenerateInput>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => {
    const type = preferredType(request.headers.accept, [JSON_TYPE, TEXT_TYPE, EVENT_STREAM]);
    if (type === EVENT_STREAM) return stream(experiment, asked, request, reply);
    const result = await generateSeveral(services, experiment, asked, { signal: clientSignal(reply) });
    if (type === JSON_TYPE) return reply.type(JSON_TYPE).send(result);
    const texts = (result.choices ?? [result]).map(({ text }) => `${result.prompt}${text}`);
    return reply.type(`${TEXT_TYPE}; charset=utf-8`).send(texts.join('\n\n'));
  };

  const stream = async (
    experiment: string | undefined,
    asked: Omit<z.infer<typeof GenerateInput>, 'experiment'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => {
    const answer = new TextStream(reply, streams, services.environment.maxStreamBufferBytes);
    try {
      const onPart = (part: GenerationPart) => answer.send(JSON.stringify(part), 'text');
      const result = await generateSeveral(services, experiment, asked, { onPart, signal: answer.signal });
      answer.send(JSON.stringify(result), 'done');
    } catch (error) {
      if (!answer.hasBegun) throw error;
      answer.send(JSON.stringify(toProblem(recognizeError(error, request), request.url)), 'error');
    } finally {
      answer.end();
    }
    return reply;
  };

  app.get(
    '/generate',
    { schema: { ...schema, summary: 'Write text', querystring: GenerateInput } },
    async (request, reply) => answer(request.query, request, reply),
  );
  app.post(
    '/generate',
    {
      schema: {
        ...schema,
        summary: 'Write text; for prompts too long for an address',
        body: GenerateInput.meta({ examples: [EXAMPLE] }),
      },
    },
    async (request, reply) => answer(request.body, request, reply),
  );

  app.post(
    '/score',
    {
      schema: {
        tags: TAGS,
        summary: 'How surprising each token of a text is',
        body: ScoreInput.meta({ examples: [{ text: 'the cat sat on the mat' }] }),
        response: withProblems({ 200: ScoreResult }),
      },
    },
    async ({ body: { experiment, ...request } }) => score(services, experiment, request),
  );
}
