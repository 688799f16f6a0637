interface SparklineProps {
  readonly values: readonly number[] | null;
  readonly isLive: boolean;
}

const WIDTH = 112;
const HEIGHT = 30;
const EDGE = 3;

/** The way that a perplexity went, on a logarithmic scale. Its figures stand beside it. */
export function Sparkline({ values, isLive }: SparklineProps) {
  const points = (values ?? []).filter((value) => value > 0).map(Math.log);
  if (points.length < 2) return <span class="sparkline sparkline-empty" aria-hidden="true" />;
  const lowest = Math.min(...points);
  const range = Math.max(...points) - lowest || 1;
  const place = (value: number, index: number) => {
    const x = EDGE + (index / (points.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT - EDGE - ((value - lowest) / range) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const line = points.map(place).join(' ');
  const [x, y] = place(points.at(-1)!, points.length - 1).split(',');
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
