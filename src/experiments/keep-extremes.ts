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
  return keepOfParts(points, count, (parts) => {
    const length = (points.length - 2) / parts;
    return (part) => Math.floor(part * length) + 1;
  });
}

/**
 * The same with parts of as many steps instead of as many points: thinned again and again while it grows, a curve stays as exact at
 * its beginning as at its end.
 */
export function keepExtremesOfSteps<Point extends CurvePoint>(
  points: readonly Point[],
  count: number,
): readonly Point[] {
  return keepOfParts(points, count, (parts) => {
    const first = points[0]!.step;
    const steps = (points.at(-1)!.step - first) / parts;
    return (part, start) => {
      if (part === parts) return points.length - 1;
      let end = start;
      while (end < points.length - 1 && points[end]!.step <= first + part * steps) end += 1;
      return end;
    };
  });
}

/** @param divide where a part ends, counted from 1; each begins where the one before ends */
function keepOfParts<Point extends CurvePoint>(
  points: readonly Point[],
  count: number,
  divide: (parts: number) => (part: number, start: number) => number,
): readonly Point[] {
  if (points.length <= count) return points;
  const parts = Math.floor((count - 2) / 2);
  const endOf = divide(parts);
  const kept = [points[0]!];
  for (let part = 1, start = 1; part <= parts; part++) {
    const end = endOf(part, start);
    kept.push(...extremesOf(points, start, end));
    start = end;
  }
  kept.push(points.at(-1)!);
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
