import { drawLines } from './line-plot.js';

/** Tokens per second of one mode, while one size changes and the others stay. */
export interface ScalingAxis {
  readonly name: string;
  readonly sizes: readonly number[];
  /** By mode; one rate a size. */
  readonly rates: Record<string, number[]>;
}

/** A panel an axis, a line a mode. @returns an SVG document */
export function drawScaling(axes: readonly ScalingAxis[]): string {
  const panels = axes.map(({ name, sizes, rates }) => ({
    title: `tokens/s over ${name}`,
    ticks: sizes,
    lines: Object.fromEntries(
      Object.entries(rates).map(([mode, values]) => [
        mode,
        values.map((rate, at) => [sizes[at]!, rate] as const),
      ]),
    ),
  }));
  return drawLines('Training speed over sizes, tokens per second', panels);
}
