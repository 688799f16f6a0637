/** Curves of several experiments, read again while they train. */
import { effect, signal } from '@preact/signals';
import type { MetricPoint } from '../../../src/contracts/metrics.js';
import { getSeries } from '../api/experiments.js';
import { experiments } from './experiments.js';
import { attempt } from './notices.js';

/** Points of a curve that are read at most; where one zooms in, exact ones are read. */
export const MAX_POINTS = 1500;
const FRESH_MS = 4000;

export const METRICS = [
  'validPerplexity',
  'validBitsPerByte',
  'trainPerplexity',
  'stepPerplexity',
  'validLoss',
  'learningRate',
  'tokensPerSecond',
  'gradNorm',
] as const;
export type Metric = (typeof METRICS)[number];

export type RunSeries = Readonly<Record<string, readonly MetricPoint[]>>;

export type Comparison = ReturnType<typeof openComparison>;

export function openComparison(ids: readonly string[]) {
  const series = signal<ReadonlyMap<string, RunSeries>>(new Map());
  const readAt = new Map<string, { seq: number; time: number }>();
  let isClosed = false;

  const stop = effect(() => {
    for (const id of ids) {
      const seq = experiments.value.get(id)?.seq ?? 0;
      const last = readAt.get(id);
      if (last && (last.seq === seq || Date.now() - last.time < FRESH_MS)) continue;
      readAt.set(id, { seq, time: Date.now() });
      void attempt(() => getSeries(id, { keys: METRICS, maxPoints: MAX_POINTS })).then((read) => {
        if (read && !isClosed) series.value = new Map([...series.value, [id, read]]);
      });
    }
  });
  return {
    series,
    /** All points of a metric, uncut. */
    readAll: (id: string, metric: Metric) => getSeries(id, { keys: [metric] }),
    close(): void {
      isClosed = true;
      stop();
    },
  };
}
