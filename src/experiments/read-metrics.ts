import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, MetricPoint } from '../contracts/metrics.js';
import type { Store } from '../store/store.js';
import { downsample } from './downsample.js';
import { findExperiment } from './find-experiment.js';
import { experimentDirectory } from './training-scheduler.js';

/** Points read at once: a few milliseconds. */
const PAGE = 5000;

export interface MetricsQuery {
  /** Keys to read; all when left out. Unknown ones have no points. */
  readonly keys?: readonly string[] | undefined;
  /** Most points of each series. */
  readonly maxPoints?: number | undefined;
}

/** Some points of one series, in order of steps; none when the series has none. */
export interface MetricPage {
  readonly key: string;
  readonly points: readonly MetricPoint[];
}

/**
 * All series of an experiment, uncut unless `maxPoints` asks for less: page by page, series after series, so that none has to be
 * in memory as a whole unless it is to be thinned.
 * @throws experiment-not-found
 */
export async function* streamMetrics(
  store: Store,
  id: string,
  { keys, maxPoints }: MetricsQuery,
): AsyncGenerator<MetricPage> {
  const { number } = findExperiment(store, id);
  for (const key of new Set(keys ?? store.metrics.keys(number))) {
    const whole: MetricPoint[] = [];
    for await (const points of readSeries(store, number, key)) {
      if (maxPoints === undefined) yield { key, points };
      else whole.push(...points);
    }
    if (maxPoints !== undefined) yield { key, points: downsample(whole, maxPoints) };
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
    if (page.length > 0 || afterStep < 0) yield page;
    if (page.length < PAGE) return;
    afterStep = page.at(-1)!.step;
    await new Promise((resume) => setImmediate(resume)); // others get their turn between pages
  }
}
