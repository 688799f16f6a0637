import { CompareQuery, Comparison } from '../../contracts/comparison.js';
import { textLike } from '../../contracts/example-of.js';
import { compareExperiments } from '../../experiments/compare-experiments.js';
import { chooseFormat } from '../accept.js';
import { experimentsCsv } from '../experiments-csv.js';
import type { HttpApp, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';

const TYPES = { json: 'application/json', csv: 'text/csv' } as const;
const CSV_EXAMPLE =
  'id,name,state,createdAt,startedAt,endedAt,tags,optimizer.learningRate,epochs,bestEpoch,bestValidPerplexity\n';

/** /compare */
export default async function compareRoutes(app: HttpApp, { store }: Uses<'store'>): Promise<void> {
  app.get(
    '/compare',
    {
      schema: {
        tags: ['experiments'],
        summary: 'Experiments side by side, as JSON or CSV',
        description:
          'In which settings they differ, and what they came to. By Accept or ?format=. CSV has a row an experiment and a column for each setting in which they differ.',
        querystring: CompareQuery,
        response: withProblems({
          200: {
            description: 'The comparison',
            content: {
              [TYPES.json]: { schema: Comparison },
              [TYPES.csv]: { schema: textLike(CSV_EXAMPLE) },
            },
          },
        }),
      },
    },
    async ({ query, headers }, reply) => {
      const comparison = compareExperiments(store, query.ids);
      if (chooseFormat(reply, TYPES, query.format, headers.accept) === 'json') return reply.send(comparison);
      const paths = comparison.differences.map(({ path }) => path);
      return reply.send(experimentsCsv(comparison.items, paths) as never);
    },
  );
}
