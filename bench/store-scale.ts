/**
 * Builds a store of many experiments with many points each, and measures what people wait for: a page of the list in
 * every order and with every filter, curves, opening, and the size of the file.
 *
 *     node dist/bench/store-scale.js 10000 10000 [RESULTS_FILE]
 *
 * 10,000 × 10,000 points need about 4 GB in the temporary folder.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveExperimentInput } from '../src/contracts/resolve-config.js';
import type { ListQuery } from '../src/experiments/list-experiments.js';
import { listExperiments } from '../src/experiments/list-experiments.js';
import { streamMetrics } from '../src/experiments/read-metrics.js';
import { openDatabase } from '../src/store/database.js';
import { openStore, type Store } from '../src/store/store.js';

const KEYS = ['stepLoss', 'stepGradNorm', 'stepTokensPerSecond', 'stepLearningRate', 'validPerplexity'];
const STATES = ['queued', 'succeeded', 'failed', 'cancelled'] as const;
const ROUNDS = 20;
const [experiments = 1000, points = 1000] = process.argv.slice(2, 4).map(Number);
const resultsFile = process.argv[4];

const folder = mkdtempSync(join(tmpdir(), 'gatelm-store-'));
try {
  const file = join(folder, 'gatelm.sqlite');
  const building = performance.now();
  addExperiments(file);
  addPoints(file);
  const buildSeconds = (performance.now() - building) / 1000;
  const opening = performance.now();
  const store = openStore(file);
  const openMs = performance.now() - opening;
  const results = {
    machine: `${cpus()[0]?.model}, ${cpus().length} cores`,
    experiments,
    pointsEach: points,
    buildSeconds,
    fileBytes: statSync(file).size,
    bytesPerPoint: statSync(file).size / (experiments * points),
    openMs,
    ...(await measure(store)),
  };
  store.close();
  const text = `${JSON.stringify(results, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`;
  process.stdout.write(text);
  if (resultsFile) writeFileSync(resultsFile, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function addExperiments(file: string): void {
  const store = openStore(file);
  const { name: _, tags: __, notes, priority, ...config } = resolveExperimentInput({});
  store.transaction(() => {
    for (let index = 1; index <= experiments; index++) {
      const { number } = store.experiments.insert({
        id: idOf(index),
        name: `run ${index}`,
        tags: index % 10 === 0 ? ['tenth'] : [],
        notes,
        priority,
        state: STATES[index % 20 === 0 ? 0 : 1 + (index % 3)]!,
        config,
        parentId: null,
        createdAt: new Date(index * 1000).toISOString(),
      });
      const value = (index * 7919) % 10_007;
      const latest = { trainPerplexity: value, ...(index % 10 !== 3 && { validPerplexity: value }) };
      store.metrics.setLatest(number, { epoch: 1, step: points, learningRate: 20, gradNorm: 1, ...latest });
    }
    for (const key of KEYS) store.metrics.addPoints(1, { step: 0, epoch: 0, time: 0 }, { [key]: 0 });
  });
  store.close();
}

/** Points by one statement an experiment, in the order of the table: their number is what matters, not how they came. */
function addPoints(file: string): void {
  const database = openDatabase(file);
  database.pragma('synchronous = OFF');
  const insert = database.prepare(
    `WITH RECURSIVE s (step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM s WHERE step < @steps)
     INSERT INTO metric_points (experiment, key, step, epoch, time, value)
     SELECT @experiment, k.id, s.step, s.step / 1000.0, 1767225600000 + s.step * 997, 1000.0 / s.step + k.id
     FROM metric_keys AS k CROSS JOIN s WHERE k.name IN (SELECT value FROM json_each(@keys)) ORDER BY k.id, s.step`,
  );
  const parameters = { steps: Math.ceil(points / KEYS.length), keys: JSON.stringify(KEYS) };
  for (let experiment = 1; experiment <= experiments; experiment += 100) {
    database.transaction(() => {
      const end = Math.min(experiment + 100, experiments + 1);
      for (let number = experiment; number < end; number++) insert.run({ ...parameters, experiment: number });
    })();
  }
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

async function measure(store: Store) {
  const page = { sort: 'created', descending: true, limit: 50 } satisfies ListQuery;
  const byMetric = { ...page, sort: 'validPerplexity', descending: false };
  const middle = middleCursor(store, byMetric);
  const queries: Record<string, ListQuery> = {
    newest: page,
    'by metric': byMetric,
    'by metric, descending': { ...byMetric, descending: true },
    'by metric, from the middle': { ...byMetric, cursor: middle },
    'state queued': { ...page, states: ['queued'] },
    'state succeeded, by metric': { ...byMetric, states: ['succeeded'] },
    'tag of every tenth': { ...page, tag: 'tenth' },
    'tag of none': { ...page, tag: 'none' },
    'part of a name': { ...page, name: '9999' },
    'part of a name, by metric': { ...byMetric, name: '99' },
    '200 by metric': { ...byMetric, limit: 200 },
  };
  const list: Record<string, unknown> = {};
  for (const [name, query] of Object.entries(queries))
    list[name] = await millisecondsOf(() => listExperiments(store, query));
  const id = idOf(Math.ceil(experiments / 2));
  return {
    listMs: list,
    metricsMs: {
      'all series': await millisecondsOf(() => readThrough(store, id)),
      'all series, 200 points each': await millisecondsOf(() => readThrough(store, id, 200)),
    },
    rssBytes: process.memoryUsage.rss(),
  };
}

function idOf(number: number): string {
  return `exp-${String(number).padStart(6, '0')}`;
}

async function readThrough(store: Store, id: string, maxPoints?: number): Promise<void> {
  for await (const { points } of streamMetrics(store, id, { maxPoints }))
    if (points.length === 0) throw new Error('none');
}

function middleCursor(store: Store, query: ListQuery): string | undefined {
  let cursor: string | undefined;
  for (let seen = 0; seen < experiments / 2; seen += 200)
    cursor = listExperiments(store, { ...query, limit: 200, cursor }).nextCursor ?? undefined;
  return cursor;
}

async function millisecondsOf(work: () => unknown): Promise<{ median: number; most: number }> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(ROUNDS / 2)]!, most: times.at(-1)! };
}
