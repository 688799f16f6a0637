/** Which units are on, and where else the same ones are (LSTMVis; Strobelt et al. 2018, arXiv 1606.07461). */

/** Values of units over a text: one row a unit, one column a token. */
export type Activations = readonly (readonly number[])[];

export interface SpanMatch {
  readonly start: number;
  readonly end: number;
  /** Part of the span’s pattern that is there too, from 0 to 1. */
  readonly overlap: number;
}

/** Units that are above the threshold at all tokens of a span, and not at the one before it: what the span switched on. */
export function unitsOnIn(activations: Activations, start: number, end: number, threshold: number): number[] {
  return activations.flatMap((row, unit) => {
    const span = row.slice(start, end + 1);
    const isOn = span.length > 0 && span.every((value) => value >= threshold);
    const wasOn = start > 0 && (row[start - 1] ?? 0) >= threshold;
    return isOn && !wasOn ? [unit] : [];
  });
}

/**
 * Places of the same length where most of these units are on together, the best first; the neighbours of a better one are left out.
 * @param most places to give
 */
export function matchSpan(
  activations: Activations,
  units: readonly number[],
  length: number,
  threshold: number,
  most: number,
): SpanMatch[] {
  const tokens = activations[0]?.length ?? 0;
  if (units.length === 0) return [];
  const all: SpanMatch[] = [];
  for (let start = 0; start + length <= tokens; start++) {
    const on = units.filter((unit) =>
      activations[unit]!.slice(start, start + length).every((value) => value >= threshold),
    );
    if (on.length > 0) all.push({ start, end: start + length - 1, overlap: on.length / units.length });
  }
  all.sort((a, b) => b.overlap - a.overlap || a.start - b.start);
  const kept: SpanMatch[] = [];
  for (const match of all) {
    if (kept.length === most) break;
    if (kept.every(({ start, end }) => match.end < start || match.start > end)) kept.push(match);
  }
  return kept;
}

/** Where a unit is most active, the highest first. @param most places to give */
export function strongestPlaces(row: readonly number[], most: number): { index: number; value: number }[] {
  return row
    .map((value, index) => ({ index, value }))
    .sort((a, b) => b.value - a.value)
    .slice(0, most);
}
