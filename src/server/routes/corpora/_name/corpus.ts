import { z } from 'zod';
import { CorpusInfo, CorpusPreview, TokenFigures } from '../../../../contracts/corpus.js';
import { CorpusParams, PreviewQuery, TokenCountRequest } from '../../../../contracts/http.js';
import { measureCorpus } from '../../../../experiments/measure-corpus.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TAGS = ['corpora'];

/** /corpora/:name */
export default async function corpusRoutes(app: HttpApp, { corpora }: Uses<'corpora'>): Promise<void> {
  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'One corpus with its statistics',
        params: CorpusParams,
        response: withProblems({ 200: CorpusInfo }),
      },
    },
    async ({ params }) => corpora.describe(params.name),
  );
  app.get(
    '/preview',
    {
      schema: {
        tags: TAGS,
        summary: 'Preview the beginning of a split',
        params: CorpusParams,
        querystring: PreviewQuery,
        response: withProblems({ 200: CorpusPreview }),
      },
    },
    async ({ params, query }) => corpora.preview(params.name, query.split, query.characters),
  );
  app.post(
    '/tokens',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'How many tokens a tokenizer would make of it',
        description:
          'Before a training: the beginning of each split is read, half a million characters of train (100,000 for byte pairs, which take longer to learn), and the rest is estimated from it.',
        params: CorpusParams,
        body: TokenCountRequest,
        response: withProblems({ 200: TokenFigures }),
      },
    },
    async ({ params, body }) => measureCorpus(corpora, await corpora.describe(params.name), body.tokenizer),
  );
  app.delete(
    '',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete an uploaded corpus that is not in use',
        params: CorpusParams,
        response: withProblems({ 204: z.undefined().describe('Deleted') }),
      },
    },
    async ({ params }, reply) => {
      await corpora.delete(params.name);
      return reply.code(204).send();
    },
  );
}
