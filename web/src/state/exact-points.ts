/** Where long trainings are looked at from near, their points uncut, read from the server. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { MetricPoint } from '../../../src/contracts/metrics.js';
import { curveOf, type HorizontalAxis, type RunScale } from '../../logic/series.js';
import { getSeries } from '../api/experiments.js';

export type Series = Readonly<Record<string, readonly MetricPoint[]>>;

/** A run as it is drawn from afar. */
export interface ThinnedRun {
  readonly id: string;
  /** Its longest series so far. */
  readonly points: readonly MetricPoint[];
  readonly scale: RunScale;
}

interface ExactPointsOptions {
  readonly axis: HorizontalAxis;
  /** What is in sight; null = all. */
  readonly range: readonly [number, number] | null;
  /** Of each series: more are thinned to their extremes, from near as from afar. */
  readonly maxPoints: number;
  /** All when left out. */
  readonly keys?: readonly string[];
}

/** The pointer has come to rest. */
const DELAY_MS = 250;

/** @returns series by run, for those runs that have more points than are drawn; empty until they are read */
export function useExactPoints(
  runs: readonly ThinnedRun[],
  { axis, range, maxPoints, keys }: ExactPointsOptions,
): ReadonlyMap<string, Series> {
  const exact = useSignal<{ readonly range: unknown; readonly series: ReadonlyMap<string, Series> }>(NOTHING);
  useEffect(() => {
    exact.value = NOTHING;
    const thinned = runs.filter(({ points }) => points.length >= maxPoints / 2); // else nothing was left out
    if (!range || thinned.length === 0) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      for (const run of thinned) {
        const steps = stepsIn(run, axis, range);
        if (!steps) continue;
        getSeries(run.id, { ...steps, maxPoints, ...(keys && { keys }) }, abort.signal).then(
          (series) => {
            exact.value = { range, series: new Map([...exact.value.series, [run.id, series]]) };
          },
          () => {}, // the thinned ones stay
        );
      }
    }, DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [range, axis, keys?.join()]);
  return exact.value.range === range ? exact.value.series : NOTHING.series;
}

const NOTHING = { range: undefined, series: new Map<string, Series>() };

/** The steps in sight, and one more at either side. */
function stepsIn(
  { points, scale }: ThinnedRun,
  axis: HorizontalAxis,
  [start, end]: readonly [number, number],
) {
  const { xs } = curveOf(points, axis, scale);
  const from = points[Math.max(0, xs.findIndex((x) => x >= start) - 1)];
  const to = points[xs.findIndex((x) => x >= end)] ?? points.at(-1);
  return from && to ? { fromStep: from.step, toStep: to.step } : null;
}
