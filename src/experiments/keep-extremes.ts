import type { CurvePoint } from './downsample.js';

/**
 * At most `count` points of a curve: first, last, and the minimum and maximum of each of equal parts in between:
 * plotted, they cover the same range as all points at every zoom level. A part without a finite value
 * has none.
 * @param count maximum number of points, at least 2
 */
export function keepExtremes<Point extends CurvePoint>(
  points: readonly Point[],
  count: number,
): readonly Point[] {
  if (points.length <= count) return points;
  const first = points[0]!;
  const last = points.at(-1)!;
  const buckets = Math.floor((count - 2) / 2);
  if (buckets === 0) return [first, last];
  const kept = [first];
  const length = (points.length - 2) / buckets;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor(bucket * length) + 1;
    const end = Math.floor((bucket + 1) * length) + 1;
    kept.push(...extremesOf(points, start, end));
  }
  kept.push(last);
  return kept;
}

/**
 * The same with parts of as many steps instead of as many points: thinned again and again while it grows, a curve stays as exact at
 * its beginning as at its end.
 */
export function keepExtremesOfSteps<Point extends CurvePoint>(
  points: readonly Point[],
  count: number,
): readonly Point[] {
  if (points.length <= count) return points;
  const first = points[0]!;
  const last = points.at(-1)!;
  const parts = Math.floor((count - 2) / 2);
  const steps = (last.step - first.step) / parts;
  const kept = [first];
  let start = 1;
  for (let part = 1; part <= parts; part++) {
    const limit = part === parts ? last.step : first.step + part * steps;
    let end = start;
    while (end < points.length - 1 && points[end]!.step <= limit) end += 1;
    kept.push(...extremesOf(points, start, end));
    start = end;
  }
  kept.push(last);
  return kept;
}

/** Minimum and maximum of some points, in their order; one if they are the same, none without a finite value. */
function extremesOf<Point extends CurvePoint>(points: readonly Point[], start: number, end: number): Point[] {
  let lowest = -1;
  let highest = -1;
  for (let index = start; index < end; index++) {
    const { value } = points[index]!;
    if (value === null) continue;
    if (lowest === -1 || value < points[lowest]!.value!) lowest = index;
    if (highest === -1 || value > points[highest]!.value!) highest = index;
  }
  if (lowest === -1) return [];
  if (lowest === highest) return [points[lowest]!];
  return [points[Math.min(lowest, highest)]!, points[Math.max(lowest, highest)]!];
}
