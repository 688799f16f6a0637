import type { Readable } from 'node:stream';
import { CacheOptions, DynamicOptions } from '../../../contracts/evaluation.js';
import { textLike } from '../../../contracts/example-of.js';
import { ScoreStreamQuery } from '../../../contracts/http.js';
import { appError } from '../../../errors.js';
import { scoreStream } from '../../../experiments/score-stream.js';
import type { HttpApp, ModelParts, Uses } from '../../http-app.js';
import { acceptPlainText } from '../../plain-text.js';
import { recognizeError, toProblem, withProblems } from '../../problem.js';
import { LINES, LineStream } from '../../streams/line-stream.js';

const EXAMPLE =
  '{"token":"the","start":0,"end":3,"surprisal":2.713}\n{"perplexity":15.1,"loss":2.713,"bitsPerByte":1.305,"tokens":1,"bytes":3}\n';

/** /score/stream */
export default async function scoreStreamRoutes(
  app: HttpApp,
  { streams, ...services }: Uses<ModelParts | 'streams'>,
): Promise<void> {
  const { clientTimeoutMs: idleMs } = services.environment;
  app.removeContentTypeParser('application/json');
  acceptPlainText(app);
  app.post(
    '/stream',
    {
      config: {
        scope: 'read',
        costs: 'inference',
        streamedBody: { text: { description: 'The text, in UTF-8', example: 'the cat sat on the mat' } },
      },
      schema: {
        tags: ['models'],
        summary: 'Score a text of any length while it is being received',
        description:
          'The body is the text, text/plain in UTF-8, which is read no faster than it is scored, in constant memory. The response is JSON Lines: {token, start, end, surprisal} for each token, then one line {perplexity, loss, bitsPerByte, tokens, bytes}, or {error} with a problem. It starts before the text is complete: a client that reads nothing until it has sent everything needs tokens=false. A text in words or byte pairs needs white space in each megabyte. The whole body has to arrive within GATELM_REQUEST_TIMEOUT_MS.',
        querystring: ScoreStreamQuery,
        response: withProblems({
          200: {
            description: 'JSON Lines',
            content: { [LINES]: { schema: textLike(EXAMPLE) } },
          },
        }),
      },
    },
    async (request, reply) => {
      const { experiment, tokens, cache, dynamic } = request.query;
      if (!request.body) throw appError('bad-request', { reason: 'The body is empty; send the text' });
      reply.header('connection', 'close'); // a refused text is not read to its end
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
        await answer.send([{ error: problem }]).catch(() => {}); // the client is gone
      } finally {
        answer.end();
      }
      return reply;
    },
  );
}
