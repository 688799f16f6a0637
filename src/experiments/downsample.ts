/** A point of a curve; points without a finite value are ignored. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number | null;
}

/**
 * Downsamples a curve with largest-triangle-three-buckets (Steinarsson 2013). First and last points are kept, and of
 * each bucket in between the point that spans the largest triangle with the one before and the mean of the next bucket.
 * @param count maximum number of points, at least 2
 */
export function downsample<Point extends CurvePoint>(
  points: readonly Point[],
  count: number,
): readonly Point[] {
  if (points.length <= count) return points;
  const bucket = (points.length - 2) / (count - 2);
  const edge = (index: number) => Math.floor(index * bucket) + 1;
  let chosen = points[0]!;
  const kept = [chosen];
  for (let index = 0; index < count - 2; index++) {
    const next = meanOf(points.slice(edge(index + 1), Math.max(edge(index + 2), edge(index + 1) + 1)));
    chosen = largestTriangle(points.slice(edge(index), edge(index + 1)), chosen, next);
    kept.push(chosen);
  }
  kept.push(points.at(-1)!);
  return kept;
}

function largestTriangle<Point extends CurvePoint>(
  candidates: readonly Point[],
  before: CurvePoint,
  after: { readonly step: number; readonly value: number },
): Point {
  const start = before.value ?? 0;
  let largest = candidates[0]!;
  let largestArea = -1;
  for (const candidate of candidates) {
    const value = candidate.value ?? start;
    const area = Math.abs(
      (before.step - after.step) * (value - start) - (before.step - candidate.step) * (after.value - start),
    );
    if (area > largestArea) {
      largest = candidate;
      largestArea = area;
    }
  }
  return largest;
}

function meanOf(points: readonly CurvePoint[]): { step: number; value: number } {
  let step = 0;
  let value = 0;
  for (const point of points) {
    step += point.step;
    value += point.value ?? 0;
  }
  const count = Math.max(1, points.length);
  return { step: step / count, value: value / count };
}
