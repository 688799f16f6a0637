/** Several curves on one axis, as a chart takes them. */
import type { Curve } from './series.js';

export type ChartColumns = [xs: number[], ...ys: (number | null | undefined)[][]];

/** All xs of all curves, and each curve’s values at them: undefined where it has no point, null where its value is not finite. */
export function alignCurves(curves: readonly Curve[]): ChartColumns {
  const xs = [...new Set(curves.flatMap((curve) => curve.xs))].sort((a, b) => a - b);
  const columns = curves.map((curve) => {
    if (curve.xs.length === xs.length) return [...curve.ys]; // all xs are its own
    const column: (number | null | undefined)[] = new Array(xs.length).fill(undefined);
    let place = 0;
    curve.xs.forEach((x, index) => {
      while (xs[place]! < x) place += 1;
      column[place] = curve.ys[index]!;
    });
    return column;
  });
  return [xs, ...columns];
}

/** The place nearest to `index` where a column has a finite value; null when there is none. */
export function nearestValue(column: readonly (number | null | undefined)[], index: number): number | null {
  for (let distance = 0; distance < column.length; distance++) {
    if (column[index - distance] != null) return index - distance;
    if (column[index + distance] != null) return index + distance;
  }
  return null;
}

/** A part of an axis, moved or scaled, within what there is. */
export function moveRange(
  [start, end]: readonly [number, number],
  by: number,
  [first, last]: readonly [number, number],
): [number, number] {
  const width = end - start;
  const moved = Math.max(first, Math.min(last - width, start + by * width));
  return [moved, moved + width];
}

/** @param factor below 1: nearer @returns null when all is in sight */
export function scaleRange(
  [start, end]: readonly [number, number],
  factor: number,
  centre: number,
  [first, last]: readonly [number, number],
): [number, number] | null {
  const scaled: [number, number] = [
    Math.max(first, centre - (centre - start) * factor),
    Math.min(last, centre + (end - centre) * factor),
  ];
  if (scaled[0] <= first && scaled[1] >= last) return null;
  return scaled[1] - scaled[0] > (last - first) * 1e-6 ? scaled : [start, end];
}
