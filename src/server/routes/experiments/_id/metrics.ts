import { Readable } from 'node:stream';
import { exampleOf, textLike } from '../../../../contracts/example-of.js';
import { ExperimentParams, MetricsQuery } from '../../../../contracts/http.js';
import { CheckpointList, MetricPoint, MetricSeries } from '../../../../contracts/metrics.js';
import {
  assertMetricKeys,
  listCheckpoints,
  type MetricPage,
  streamMetrics,
} from '../../../../experiments/read-metrics.js';
import { chooseFormat } from '../../../accept.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TYPES = { json: 'application/json', csv: 'text/csv', jsonl: 'application/jsonl' } as const;
const TAGS = ['experiments'];

const CSV_EXAMPLE = 'key,step,epoch,time,value\nvalidPerplexity,1328,1,2026-11-25T16:04:41.608Z,195.6\n';
const JSON_LINES_EXAMPLE = `${JSON.stringify({ key: 'validPerplexity', ...exampleOf(MetricPoint) })}\n`;

/** /experiments/:id/metrics and /experiments/:id/checkpoints */
export default async function metricsRoutes(
  app: HttpApp,
  { store, environment }: Uses<'store' | 'environment'>,
): Promise<void> {
  app.get(
    '/metrics',
    {
      schema: {
        tags: TAGS,
        summary: 'Metrics of an experiment as JSON, CSV or JSON Lines, at full resolution',
        description:
          'The format is chosen by Accept or ?format=. Keys that begin with `step` were measured within epochs, the others at the end of each epoch. CSV has the columns key, step, epoch, time, value.',
        params: ExperimentParams,
        querystring: MetricsQuery,
        response: withProblems({
          200: {
            description: 'Points by key, in order of steps',
            content: {
              [TYPES.json]: { schema: MetricSeries },
              [TYPES.csv]: { schema: textLike(CSV_EXAMPLE) },
              [TYPES.jsonl]: { schema: textLike(JSON_LINES_EXAMPLE) },
            },
          },
        }),
      },
    },
    async ({ params, query, headers }, reply) => {
      assertMetricKeys(store, params.id, query.keys ?? []);
      const format = chooseFormat(reply, TYPES, query.format, headers.accept);
      // Sent as text: validating each point against the schema again would cost more than reading it.
      const write = WRITERS[format];
      return reply.send(Readable.from(write(streamMetrics(store, params.id, query))) as never);
    },
  );

  app.get(
    '/checkpoints',
    {
      schema: {
        tags: TAGS,
        summary: 'List the checkpoints, newest last',
        params: ExperimentParams,
        response: withProblems({ 200: CheckpointList }),
      },
    },
    async ({ params }) => ({ items: listCheckpoints(store, environment.dataDir, params.id) }),
  );
}

/** A MetricSeries, page by page. */
async function* toJson(pages: AsyncIterable<MetricPage>): AsyncGenerator<string> {
  let open: string | undefined;
  yield '{"series":{';
  for await (const { key, points } of pages) {
    const isSame = key === open;
    if (!isSame) yield `${open === undefined ? '' : '],'}${JSON.stringify(key)}:[`;
    if (points.length > 0) yield `${isSame ? ',' : ''}${JSON.stringify(points).slice(1, -1)}`;
    open = key;
  }
  yield open === undefined ? '}}' : ']}}';
}

/** Only keys are text, and they contain no commas or quotes. */
async function* toCsv(pages: AsyncIterable<MetricPage>): AsyncGenerator<string> {
  yield 'key,step,epoch,time,value\n';
  for await (const { key, points } of pages)
    yield points
      .map(({ step, epoch, time, value }) => `${key},${step},${epoch},${time},${value ?? ''}\n`)
      .join('');
}

async function* toJsonLines(pages: AsyncIterable<MetricPage>): AsyncGenerator<string> {
  for await (const { key, points } of pages)
    yield points.map((point) => `${JSON.stringify({ key, ...point })}\n`).join('');
}

const WRITERS = { json: toJson, csv: toCsv, jsonl: toJsonLines };
