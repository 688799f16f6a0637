/** Curves of several experiments, read again while they train. */
import { effect, signal } from '@preact/signals';
import type { MetricPoint } from '../../../src/contracts/metrics.js';
import { pacedReads } from '../../logic/paced-reads.js';
import { getSeries } from '../api/experiments.js';
import { messageOf, ProblemError, UnreachableError } from '../api/problem.js';
import { experiments } from './experiments.js';
import { notify } from './notices.js';

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
  let isClosed = false;
  const reads = pacedReads(FRESH_MS, async (id) => {
    try {
      const read = await getSeries(id, { keys: METRICS, maxPoints: MAX_POINTS });
      if (!isClosed) series.value = new Map([...series.value, [id, read]]);
      return true;
    } catch (error) {
      if (!(error instanceof UnreachableError)) notify('failed', messageOf(error)); // of that the page has a banner
      return error instanceof ProblemError && error.problem.status === 404; // deleted elsewhere
    }
  });
  const stop = effect(() => {
    for (const id of ids) {
      const experiment = experiments.value.get(id);
      if (experiment) reads.want(id, experiment.seq);
    }
  });
  return {
    series,
    /** All points of a metric, uncut. */
    readAll: (id: string, metric: Metric) => getSeries(id, { keys: [metric] }),
    close(): void {
      isClosed = true;
      reads.stop();
      stop();
    },
  };
}
