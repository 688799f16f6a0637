/** Tokens per second of one mode, while one size changes and the others stay. */
export interface ScalingAxis {
  readonly name: string;
  readonly sizes: readonly number[];
  /** By mode; one rate a size. */
  readonly rates: Record<string, number[]>;
}

const PANEL = { width: 300, height: 220, left: 62, right: 16, top: 30, bottom: 40 };
const COLUMNS = 3;
const LEGEND_HEIGHT = 30;
/** Told apart by people who see colours differently, too (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#999999', '#cc79a7', '#009e73'];

/** A panel an axis, both scales logarithmic, a line a mode. @returns an SVG document */
export function drawScaling(axes: readonly ScalingAxis[]): string {
  const modes = [...new Set(axes.flatMap(({ rates }) => Object.keys(rates)))];
  const width = COLUMNS * PANEL.width;
  const height = Math.ceil(axes.length / COLUMNS) * PANEL.height + LEGEND_HEIGHT;
  const legend = modes.map((mode, index) => {
    const x = 12 + (index * (width - 12)) / modes.length;
    return `<path d="M${x} 16h22" stroke="${colourOf(index)}" stroke-width="2"/><text x="${x + 28}" y="20">${mode}</text>`;
  });
  const panels = axes.map((axis, index) => {
    const x = (index % COLUMNS) * PANEL.width;
    const y = Math.floor(index / COLUMNS) * PANEL.height + LEGEND_HEIGHT;
    return `<g transform="translate(${x} ${y})">${drawPanel(axis, modes)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="none">`,
    '<title>Training speed over sizes, tokens per second</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g fill="#222">${legend.join('')}</g>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ name, sizes, rates }: ScalingAxis, modes: readonly string[]): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const all = Object.values(rates).flat();
  const ticks = decades(Math.min(...all), Math.max(...all));
  const x = scale(sizes[0]!, sizes.at(-1)!, left, width - right);
  const y = scale(ticks[0]!, ticks.at(-1)!, height - bottom, top);
  const grid = ticks.map((tick) => {
    const line = `<path d="M${left} ${y(tick)}H${width - right}" stroke="#ddd"/>`;
    return `${line}<text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end" fill="#444">${tick.toLocaleString('en-US')}</text>`;
  });
  const labels = sizes.map(
    (size) =>
      `<text x="${x(size)}" y="${height - bottom + 16}" text-anchor="middle" fill="#444">${size >= 1000 ? `${size / 1000}k` : size}</text>`,
  );
  const lines = Object.entries(rates).map(([mode, values]) => {
    const colour = colourOf(modes.indexOf(mode));
    const points = values.map((rate, index) => `${x(sizes[index]!)},${y(rate)}`);
    const dots = points.map((point) => {
      const [cx, cy] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`;
    });
    return `<polyline points="${points.join(' ')}" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
  });
  const title = `<text x="${left}" y="18" fill="#222" font-weight="bold">tokens/s over ${name}</text>`;
  return [title, ...grid, ...labels, ...lines].join('');
}

/** 1, 2 and 5 times powers of ten, from below the lowest to above the highest. */
function decades(lowest: number, highest: number): number[] {
  const ticks: number[] = [];
  for (let power = 1; power <= 1e9; power *= 10) ticks.push(power, 2 * power, 5 * power);
  const first = Math.max(
    ticks.findLastIndex((tick) => tick <= lowest),
    0,
  );
  const last = ticks.findIndex((tick) => tick >= highest);
  return ticks.slice(first, last + 1);
}

/** A logarithmic scale from [first, last] to pixels, rounded to tenths. */
function scale(first: number, last: number, from: number, to: number): (value: number) => number {
  const span = Math.log(last / first) || 1;
  return (value) => Math.round((from + (Math.log(value / first) / span) * (to - from)) * 10) / 10;
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}
