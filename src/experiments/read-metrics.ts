import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Checkpoint, type MetricPoint, SERIES_KEYS, unknownMetric } from '../contracts/metrics.js';
import { validationError } from '../contracts/validation.js';
import { experimentKey, pathOf } from '../files/layout.js';
import type { Store } from '../store/store.js';
import { downsample } from './downsample.js';
import { findExperiment } from './find-experiment.js';
import { keepExtremes } from './keep-extremes.js';

/** Points per page: a few milliseconds of reading. */
const PAGE = 5000;

export interface MetricsQuery {
  /** Keys to read; all when left out. */
  readonly keys?: readonly string[] | undefined;
  /** Maximum number of points per series. */
  readonly maxPoints?: number | undefined;
  /** How they are chosen. */
  readonly keep?: 'shape' | 'extremes' | undefined;
  /** First and last step to read. */
  readonly fromStep?: number | undefined;
  readonly toStep?: number | undefined;
}

/** Some points of one series, in order of steps; none when the series has none. */
export interface MetricPage {
  readonly key: string;
  readonly points: readonly MetricPoint[];
}

/**
 * All series of an experiment, at full resolution without `maxPoints`: page by page, series after series, so that none has to be
 * in memory as a whole unless it is downsampled.
 * @throws experiment-not-found
 */
export async function* streamMetrics(
  store: Store,
  id: string,
  { keys, maxPoints, keep, fromStep = 0, toStep = Number.MAX_SAFE_INTEGER }: MetricsQuery,
): AsyncGenerator<MetricPage> {
  const thin = keep === 'extremes' ? keepExtremes : downsample;
  const { number } = findExperiment(store, id);
  for (const key of new Set(keys ?? store.metrics.keys(number))) {
    const whole: MetricPoint[] = [];
    for await (const points of readSeries(store, number, key, { fromStep, toStep })) {
      if (maxPoints === undefined) yield { key, points };
      else whole.push(...points);
    }
    if (maxPoints !== undefined) yield { key, points: thin(whole, maxPoints) };
  }
}

/** @throws experiment-not-found; validation-failed, naming the nearest of each key that there is not */
export function assertMetricKeys(store: Store, id: string, keys: readonly string[]): void {
  const known = [...new Set([...SERIES_KEYS, ...store.metrics.keys(findExperiment(store, id).number)])];
  const issues = keys.flatMap((key, index) =>
    known.includes(key) ? [] : [{ path: `keys.${index}`, message: unknownMetric(key, known) }],
  );
  if (issues.length > 0) throw validationError(issues, 'The query');
}

/**
 * The checkpoints that were written, newest last.
 * @throws experiment-not-found
 */
export function listCheckpoints(store: Store, dataDirectory: string, id: string): Checkpoint[] {
  const { number } = findExperiment(store, id);
  const folder = pathOf(dataDirectory, experimentKey(id));
  return store.checkpoints
    .list(number)
    .map((checkpoint) => ({ ...checkpoint, available: existsSync(join(folder, checkpoint.file)) }));
}

async function* readSeries(
  store: Store,
  experiment: number,
  key: string,
  { fromStep, toStep }: { readonly fromStep: number; readonly toStep: number },
): AsyncGenerator<MetricPoint[]> {
  let afterStep = fromStep - 1;
  for (let isFirst = true; ; isFirst = false) {
    const page = store.metrics.points(experiment, key, afterStep, PAGE);
    const wanted = (page.at(-1)?.step ?? 0) > toStep ? page.filter(({ step }) => step <= toStep) : page;
    if (wanted.length > 0 || isFirst) yield wanted;
    if (wanted.length < PAGE) return;
    afterStep = page.at(-1)!.step;
    await new Promise((resume) => setImmediate(resume)); // let other work run between pages
  }
}
