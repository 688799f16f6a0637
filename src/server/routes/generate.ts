import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { GenerationResult, ScoreResult } from '../../contracts/generation.js';
import { GenerateInput, ScoreInput } from '../../contracts/http.js';
import type { Services } from '../../experiments/services.js';
import { generate, score } from '../../experiments/use-model.js';
import { preferredType } from '../accept.js';
import type { HttpApp } from '../http-app.js';
import { withProblems } from '../problem.js';

const TAGS = ['models'];
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';
const EXAMPLE = { prompt: 'the', maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 };
const schema = {
  tags: TAGS,
  description:
    'From the best weights so far, also while training goes on. With Accept: text/plain the prompt and its continuation as plain text. The same seed gives the same text.',
  response: withProblems({
    200: {
      description: 'What was written',
      content: { [JSON_TYPE]: { schema: GenerationResult }, [TEXT_TYPE]: { schema: z.string() } },
    },
  }),
};

/** /generate and /score */
export function routeGenerate(app: HttpApp, services: Services): void {
  const answer = async (
    { experiment, ...request }: z.infer<typeof GenerateInput>,
    accept: string | undefined,
    reply: FastifyReply,
  ) => {
    const result = await generate(services, experiment, request);
    if (preferredType(accept, [JSON_TYPE, TEXT_TYPE]) === JSON_TYPE)
      return reply.type(JSON_TYPE).send(result);
    return reply.type(`${TEXT_TYPE}; charset=utf-8`).send(`${result.prompt}${result.text}`);
  };

  app.get(
    '/generate',
    { schema: { ...schema, summary: 'Write text', querystring: GenerateInput } },
    async ({ query, headers }, reply) => answer(query, headers.accept, reply),
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
    async ({ body, headers }, reply) => answer(body, headers.accept, reply),
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
