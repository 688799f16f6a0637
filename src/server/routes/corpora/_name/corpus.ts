import { z } from 'zod';
import { CorpusInfo, CorpusPreview } from '../../../../contracts/corpus.js';
import { CorpusParams, PreviewQuery } from '../../../../contracts/http.js';
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
        summary: 'The beginning of a split',
        params: CorpusParams,
        querystring: PreviewQuery,
        response: withProblems({ 200: CorpusPreview }),
      },
    },
    async ({ params, query }) => corpora.preview(params.name, query.split, query.characters),
  );
  app.delete(
    '',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete an uploaded corpus that no experiment needs any more',
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
