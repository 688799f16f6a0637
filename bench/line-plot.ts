/** Lines of several modes, y over x, both scales logarithmic. */
export interface Panel {
  readonly title: string;
  readonly lines: Readonly<Record<string, readonly (readonly [x: number, y: number])[]>>;
  /** Values that are named below. */
  readonly ticks: readonly number[];
}

const PANEL = { width: 300, height: 220, left: 62, right: 16, top: 30, bottom: 40 };
const COLUMNS = 3;
const LEGEND_HEIGHT = 30;
/** Told apart by people who see colours differently, too (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#999999', '#cc79a7', '#009e73'];

/** One plot a panel, one colour a mode. @returns an SVG document */
export function drawLines(title: string, panels: readonly Panel[]): string {
  const modes = [...new Set(panels.flatMap(({ lines }) => Object.keys(lines)))];
  const width = Math.min(COLUMNS, panels.length) * PANEL.width;
  const height = Math.ceil(panels.length / COLUMNS) * PANEL.height + LEGEND_HEIGHT;
  const legend = modes.map((mode, index) => {
    const x = 12 + (index * (width - 12)) / modes.length;
    return `<path d="M${x} 16h22" stroke="${colourOf(index)}" stroke-width="2"/><text x="${x + 28}" y="20">${mode}</text>`;
  });
  const drawn = panels.map((panel, index) => {
    const x = (index % COLUMNS) * PANEL.width;
    const y = Math.floor(index / COLUMNS) * PANEL.height + LEGEND_HEIGHT;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, modes)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="none">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g fill="#222">${legend.join('')}</g>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, lines, ticks: named }: Panel, modes: readonly string[]): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const points = Object.values(lines).flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const ticks = decades(Math.min(...ys), Math.max(...ys));
  const x = scale(Math.min(...xs), Math.max(...xs), left, width - right);
  const y = scale(ticks[0]!, ticks.at(-1)!, height - bottom, top);
  const grid = ticks.map((tick) => {
    const line = `<path d="M${left} ${y(tick)}H${width - right}" stroke="#ddd"/>`;
    return `${line}<text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end" fill="#444">${tick.toLocaleString('en-US')}</text>`;
  });
  const labels = named.map(
    (size) =>
      `<text x="${x(size)}" y="${height - bottom + 16}" text-anchor="middle" fill="#444">${size >= 1000 ? `${size / 1000}k` : size}</text>`,
  );
  const drawn = Object.entries(lines).map(([mode, values]) => {
    const colour = colourOf(modes.indexOf(mode));
    const at = values.map(([own, value]) => [x(own), y(value)]);
    const dots = at.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`);
    return `<polyline points="${at.join(' ')}" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
  });
  const heading = `<text x="${left}" y="18" fill="#222" font-weight="bold">${title}</text>`;
  return [heading, ...grid, ...labels, ...drawn].join('');
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
