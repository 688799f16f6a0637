interface SparklineProps {
  readonly values: readonly number[] | null;
  readonly isLive: boolean;
}

const WIDTH = 112;
const HEIGHT = 30;
const EDGE = 3;

/** The way that a perplexity went, on a logarithmic scale. Its figures stand beside it. */
export function Sparkline({ values, isLive }: SparklineProps) {
  const line = values && lineOf(values);
  if (!line) return <span class="sparkline sparkline-empty" aria-hidden="true" />;
  const [x, y] = line.slice(line.lastIndexOf(' ') + 1).split(',');
  return (
    <svg
      class="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <polyline points={line} />
      <circle cx={x} cy={y} r="2.4" class={isLive ? 'is-live' : ''} />
    </svg>
  );
}

/** Made once for each curve, however often its row comes into sight. */
const lines = new WeakMap<readonly number[], string>();

function lineOf(values: readonly number[]): string {
  const known = lines.get(values);
  if (known !== undefined) return known;
  const line = drawLine(values.filter((value) => value > 0).map(Math.log));
  lines.set(values, line);
  return line;
}

/** Empty for less than two points. */
function drawLine(points: readonly number[]): string {
  if (points.length < 2) return '';
  const lowest = Math.min(...points);
  const range = Math.max(...points) - lowest || 1;
  const place = (value: number, index: number) => {
    const x = EDGE + (index / (points.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT - EDGE - ((value - lowest) / range) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  return points.map(place).join(' ');
}
