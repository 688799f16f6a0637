import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, MetricPoint, MetricSeries } from '../contracts/metrics.js';
import type { Store } from '../store/store.js';
import { downsample } from './downsample.js';
import { findExperiment } from './find-experiment.js';
import { experimentDirectory } from './training-queue.js';

/** Points read at once: a few milliseconds. */
const PAGE = 5000;

export interface MetricsQuery {
  /** Keys to read; all when left out. Unknown ones have no points. */
  readonly keys?: readonly string[] | undefined;
  /** Most points of each series. */
  readonly maxPoints?: number | undefined;
}

/** One point with the key of its series. */
export interface KeyedPoint extends MetricPoint {
  readonly key: string;
}

/**
 * All series of an experiment, uncut unless `maxPoints` asks for less.
 * @throws experiment-not-found
 */
export async function readMetrics(store: Store, id: string, query: MetricsQuery): Promise<MetricSeries> {
  const { number } = findExperiment(store, id);
  const series: [string, MetricPoint[]][] = [];
  for (const key of query.keys ?? store.metrics.keys(number)) {
    const points: MetricPoint[] = [];
    for await (const page of readSeries(store, number, key)) points.push(...page);
    const { maxPoints } = query;
    series.push([key, maxPoints === undefined ? points : [...downsample(points, maxPoints)]]);
  }
  return { series: Object.fromEntries(series) };
}

/**
 * The same as pages of points, series after series, so that none has to be in memory as a whole.
 * @throws experiment-not-found
 */
export async function* streamMetrics(
  store: Store,
  id: string,
  query: MetricsQuery,
): AsyncGenerator<KeyedPoint[]> {
  const { number } = findExperiment(store, id);
  for (const key of query.keys ?? store.metrics.keys(number)) {
    if (query.maxPoints !== undefined) {
      const { series } = await readMetrics(store, id, { ...query, keys: [key] });
      yield series[key]!.map((point) => ({ key, ...point }));
      continue;
    }
    for await (const page of readSeries(store, number, key)) yield page.map((point) => ({ key, ...point }));
  }
}

/**
 * The checkpoints that were written, newest last.
 * @throws experiment-not-found
 */
export function listCheckpoints(store: Store, dataDirectory: string, id: string): Checkpoint[] {
  const { number } = findExperiment(store, id);
  const folder = experimentDirectory(dataDirectory, id);
  return store.checkpoints
    .list(number)
    .map((checkpoint) => ({ ...checkpoint, available: existsSync(join(folder, checkpoint.file)) }));
}

async function* readSeries(store: Store, experiment: number, key: string): AsyncGenerator<MetricPoint[]> {
  let afterStep = -1;
  for (;;) {
    const page = store.metrics.points(experiment, key, afterStep, PAGE);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    afterStep = page.at(-1)!.step;
    await new Promise((resume) => setImmediate(resume)); // others get their turn between pages
  }
}
