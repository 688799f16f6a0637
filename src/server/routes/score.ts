import type { Readable } from 'node:stream';
import { z } from 'zod';
import { CacheOptions, DynamicOptions } from '../../contracts/evaluation.js';
import { RankInput, ScoreInput, ScoreQuery, ScoreStreamQuery } from '../../contracts/http.js';
import { RankResult, ScoreList, ScoreResult } from '../../contracts/score.js';
import { appError } from '../../errors.js';
import { scoreStream } from '../../experiments/score-stream.js';
import type { Services } from '../../experiments/services.js';
import { rank, score } from '../../experiments/use-model.js';
import type { HttpApp } from '../http-app.js';
import { exampleText, TEXT_EXAMPLES } from '../openapi-examples.js';
import { recognizeError, toProblem, withProblems } from '../problem.js';
import { clientSignal } from '../streams/client-signal.js';
import { LINES, LineStream } from '../streams/line-stream.js';
import type { StreamRegistry } from '../streams/stream-registry.js';

const TAGS = ['models'];

/** /score, /score/stream and /rank */
export function routeScore(app: HttpApp, services: Services, streams: StreamRegistry): void {
  app.post(
    '/score',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'How surprising each token of a text is, or of many texts',
        description:
          'One `text`, or `texts`, which are answered as `items` in their order. With `inspect` each token also has `inside`: what each LSTM layer did when it was predicted (forget, candidate, input and output gate, cell and hidden values: mean, least and most; chosen `units` in full), and the likeliest tokens. With `cache` what was read recently in the same text is mixed in, with `dynamic` the model learns from each segment after it was predicted.',
        querystring: ScoreQuery,
        body: ScoreInput.meta({
          examples: [{ text: 'the cat sat on the mat' }, { texts: ['the cat sat', 'the mat sat'] }],
        }),
        response: withProblems({ 200: z.union([ScoreResult, ScoreList]) }),
      },
    },
    async ({ query, body: { experiment, ...request } }, reply) =>
      score(
        services,
        experiment,
        { ...request, inspect: query.inspect ?? request.inspect },
        { signal: clientSignal(reply) },
      ),
  );

  app.post(
    '/rank',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Which of several alternatives follows a prompt most likely',
        body: RankInput.meta({
          examples: [{ prompt: 'the cat sat on the', alternatives: [' mat', ' cat'], by: 'token' }],
        }),
        response: withProblems({ 200: RankResult }),
      },
    },
    async ({ body: { experiment, ...request } }, reply) =>
      rank(services, experiment, request, { signal: clientSignal(reply) }),
  );

  // In a scope of its own: nowhere else is a body of this type read while it comes.
  app.register(async (scope) => routeScoreStream(scope as unknown as HttpApp, services, streams));
}

async function routeScoreStream(app: HttpApp, services: Services, streams: StreamRegistry): Promise<void> {
  const { clientTimeoutMs: idleMs } = services.environment;
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('text/plain', (_request, payload, done) => done(null, payload));
  app.post(
    '/score/stream',
    {
      config: {
        scope: 'read',
        costs: 'inference',
        streamedBody: { text: { description: 'The text, in UTF-8', example: 'the cat sat on the mat' } },
      },
      schema: {
        tags: TAGS,
        summary: 'How surprising each token of a text of any length is, while it comes in',
        description:
          'The body is the text, text/plain in UTF-8, read no faster than it is scored, in memory that does not grow. The answer is JSON Lines: {token, start, end, surprisal} for each token, then one line {perplexity, loss, bitsPerByte, tokens, bytes}, or {error} with a problem. It begins while the text still comes: a client that reads nothing until it has sent all needs tokens=false. A text in words or byte pairs needs some white space in each megabyte. The whole body has to come within GATELM_REQUEST_TIMEOUT_MS.',
        querystring: ScoreStreamQuery,
        response: withProblems({
          200: {
            description: 'JSON Lines',
            content: { [LINES]: { schema: exampleText(TEXT_EXAMPLES.scoreLines) } },
          },
        }),
      },
    },
    async (request, reply) => {
      const { experiment, tokens, cache, dynamic } = request.query;
      if (!request.body) throw appError('bad-request', { reason: 'The body is empty; send the text' });
      reply.header('connection', 'close'); // a text that is refused is not read to its end
      const answer = new LineStream(reply, streams, idleMs);
      const adaptation = {
        ...(cache && { cache: CacheOptions.parse({}) }),
        ...(dynamic && { dynamic: DynamicOptions.parse({}) }),
      };
      try {
        const summary = await scoreStream(
          services,
          experiment,
          { tokens, ...adaptation },
          {
            bytes: request.body as Readable,
            onTokens: (scored) => answer.send(scored),
            signal: answer.signal,
            idleMs,
          },
        );
        await answer.send([summary]);
      } catch (error) {
        if (!answer.hasBegun) throw error;
        const problem = toProblem(recognizeError(error, request), request.url);
        await answer.send([{ error: problem }]).catch(() => {}); // nobody reads it
      } finally {
        answer.end();
      }
      return reply;
    },
  );
}
