/** What curves are made of. */
import type { Experiment } from '../../src/contracts/experiment.js';
import type { MetricPoint } from '../../src/contracts/metrics.js';

export type HorizontalAxis = 'step' | 'epoch' | 'tokens' | 'time';

/** What the axes of one run need. */
export interface RunScale {
  /** Beginning of the time axis, in milliseconds since 1970. */
  readonly origin: number;
  /** Tokens that a step learns from. */
  readonly tokensPerStep: number;
}

/** Where bpttLength varies, its mean is a little lower, and so are the true tokens. */
export function runScaleOf({
  startedAt,
  createdAt,
  config,
}: Pick<Experiment, 'startedAt' | 'createdAt' | 'config'>): RunScale {
  const { batchSize, bpttLength } = config.training;
  return { origin: Date.parse(startedAt ?? createdAt), tokensPerStep: batchSize * bpttLength };
}

/** A curve with what it is drawn along: `xs` rise, `ys` are null where nothing finite was measured. */
export interface Curve {
  readonly xs: readonly number[];
  readonly ys: readonly (number | null)[];
}

export function curveOf(points: readonly MetricPoint[], axis: HorizontalAxis, scale: RunScale): Curve {
  const xs: number[] = [];
  const ys: (number | null)[] = [];
  let last = -Infinity;
  for (const point of points) {
    const x = placeOf(point, axis, scale);
    if (x < last) continue; // a clock that was set back
    last = x;
    xs.push(x);
    ys.push(point.value);
  }
  return { xs, ys };
}

/** A curve as it is drawn from afar, with what was read of a part of it in the place of that part. */
export function withExact(
  thinned: readonly MetricPoint[],
  exact: readonly MetricPoint[] | undefined,
): readonly MetricPoint[] {
  const first = exact?.[0]?.step;
  const last = exact?.at(-1)?.step;
  if (exact === undefined || first === undefined || last === undefined) return thinned;
  return [
    ...thinned.filter(({ step }) => step < first),
    ...exact,
    ...thinned.filter(({ step }) => step > last),
  ];
}

/** In steps, epochs, tokens or seconds. */
function placeOf(point: MetricPoint, axis: HorizontalAxis, { origin, tokensPerStep }: RunScale): number {
  switch (axis) {
    case 'time':
      return (Date.parse(point.time) - origin) / 1000;
    case 'tokens':
      return point.step * tokensPerStep;
    default:
      return point[axis];
  }
}

/**
 * Exponential moving average without the bias of its beginning, as by Kingma and Ba 2014 (arXiv 1412.6980, section 3).
 * @param weight of the past, from 0 (off) to below 1
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let average = 0;
  let correction = 1;
  return values.map((value) => {
    if (value === null) return null;
    average = weight * average + (1 - weight) * value;
    correction *= weight;
    return average / (1 - correction);
  });
}

/** Adds what was measured live: a step that is known already is replaced, an older one is ignored. */
export function appendPoint(points: MetricPoint[], point: MetricPoint): boolean {
  const last = points.at(-1);
  if (last && point.step < last.step) return false;
  if (last?.step === point.step) points.pop();
  points.push(point);
  return true;
}

/** Forgets what was measured after a step: the training went back to a checkpoint. */
export function rewindPoints(points: MetricPoint[], step: number): void {
  while (points.length > 0 && points.at(-1)!.step > step) points.pop();
}

/** Lowest value of a series, with its point. */
export function lowestPoint(points: readonly MetricPoint[]): MetricPoint | null {
  let lowest: MetricPoint | null = null;
  for (const point of points)
    if (point.value !== null && (lowest === null || point.value < lowest.value!)) lowest = point;
  return lowest;
}
