/** The picture of a chart as SVG: for papers and slides, without the page. */
import { formatTick } from './format.js';
import type { Curve } from './series.js';

export interface SvgLine {
  readonly label: string;
  readonly colour: string;
  readonly curve: Curve;
}

export interface SvgChart {
  readonly title: string;
  readonly xLabel: string;
  readonly lines: readonly SvgLine[];
  readonly isLogarithmic: boolean;
  readonly references: readonly { readonly label: string; readonly value: number }[];
  readonly range: readonly [number, number] | null;
  readonly formatX: (x: number) => string;
}

const WIDTH = 960;
const HEIGHT = 540;
const LEFT = 70;
const RIGHT = 24;
const TOP = 48;
const LEGEND_LINE = 20;
const FAINT = '#6b7280';

export function chartSvg(chart: SvgChart): string {
  const { title, xLabel, lines, references, formatX } = chart;
  const bottom = 56 + lines.length * LEGEND_LINE;
  const height = HEIGHT + lines.length * LEGEND_LINE;
  const { x, y, xs, ys } = scalesOf(chart, height - bottom);
  const floor = height - bottom;
  const parts = [
    `<text x="${LEFT}" y="28" font-size="17" font-weight="600" fill="#1b1f23">${escapeXml(title)}</text>`,
    ...ys.map(
      (value) =>
        `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#e5e5e0"/>` +
        `<text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end" fill="${FAINT}">${formatTick(value)}</text>`,
    ),
    ...xs.map(
      (value) =>
        `<text x="${x(value)}" y="${floor + 20}" text-anchor="middle" fill="${FAINT}">${escapeXml(formatX(value))}</text>`,
    ),
    `<text x="${WIDTH - RIGHT}" y="${floor + 40}" text-anchor="end" fill="${FAINT}">${escapeXml(xLabel)}</text>`,
    ...references.map(
      ({ label, value }) =>
        `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="${FAINT}" stroke-dasharray="4 4"/>` +
        `<text x="${WIDTH - RIGHT - 4}" y="${y(value) - 4}" text-anchor="end" font-size="11" fill="${FAINT}">${escapeXml(label)}</text>`,
    ),
    ...lines.map(({ colour, curve }) => {
      const path = pathOf(curve, chart.range, x, y);
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8" stroke-linejoin="round"/>`;
    }),
    ...lines.map(({ label, colour }, index) => {
      const place = floor + 58 + index * LEGEND_LINE;
      return (
        `<path d="M${LEFT} ${place - 4}h18" stroke="${colour}" stroke-width="3"/>` +
        `<text x="${LEFT + 26}" y="${place}" fill="#1b1f23">${escapeXml(label)}</text>`
      );
    }),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="system-ui, sans-serif" font-size="12.5"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`
  );
}

function scalesOf({ lines, isLogarithmic, references, range }: SvgChart, floor: number) {
  const inSight = lines.flatMap(({ curve }) =>
    curve.xs.flatMap((x, index) => {
      const y = curve.ys[index];
      const isIn = range === null || (x >= range[0] && x <= range[1]);
      return isIn && y != null && (y > 0 || !isLogarithmic) ? [{ x, y }] : [];
    }),
  );
  const [left, right] = range ?? extentOf(inSight.map(({ x }) => x));
  const values = [...inSight.map(({ y }) => y), ...references.map(({ value }) => value)];
  const [low, high] = extentOf(values.length > 0 ? values : [1, 10]);
  const place = isLogarithmic ? Math.log : (value: number) => value;
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    x: (value: number) => round(LEFT + ((value - left) / (right - left)) * (WIDTH - LEFT - RIGHT)),
    y: (value: number) =>
      round(floor - ((place(value) - place(low)) / (place(high) - place(low))) * (floor - TOP)),
    xs: linearTicks(left, right),
    ys: isLogarithmic ? logarithmicTicks(low, high) : linearTicks(low, high),
  };
}

function pathOf(
  { xs, ys }: Curve,
  range: SvgChart['range'],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  xs.forEach((value, index) => {
    const height = ys[index];
    if (height == null || (range && (value < range[0] || value > range[1]))) return;
    path += `${path === '' ? 'M' : 'L'}${x(value)} ${y(height)}`;
  });
  return path;
}

function extentOf(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low)) return [0, 1];
  return low === high ? [low * 0.9, high * 1.1 || 1] : [low, high];
}

/** About six round values between two. */
export function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** 1, 2 and 5 of each decade; powers of ten alone where there are many. */
export function logarithmicTicks(low: number, high: number): number[] {
  if (high / low < 3) return linearTicks(low, high);
  const factors = high / low > 1000 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
