import type { Signal } from '@preact/signals';
import type { SweepTrial } from '../../../../src/contracts/sweep-view.js';
import type { SweepAxis } from '../../../logic/sweep-axes.js';
import { t } from '../../state/language.js';

const HEIGHT = 300;
const MIN_AXIS_WIDTH = 190;
const MIN_PLOT_WIDTH = 760;
const MARGIN = { top: 34, bottom: 14, side: 90 };

interface ParallelPlotProps {
  readonly axes: readonly SweepAxis[];
  readonly trials: readonly SweepTrial[];
  readonly objective: string;
  /** The trial that is pointed at. */
  readonly pointed: Signal<number | null>;
}

/** Parallel coordinates: a line a trial over an axis a setting, darker the better it is. */
export function ParallelPlot({ axes, trials, objective, pointed }: ParallelPlotProps) {
  const axisWidth = Math.max(MIN_AXIS_WIDTH, MIN_PLOT_WIDTH / (axes.length - 1));
  const width = MARGIN.side * 2 + axisWidth * (axes.length - 1);
  const x = (axis: number) => MARGIN.side + axis * axisWidth;
  const y = (place: number) => HEIGHT - MARGIN.bottom - place * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const last = axes.at(-1)!;
  // What is pointed at, and what is better, is drawn over the others.
  const ordered = [...trials].sort(
    (a, b) =>
      Number(a.trial === pointed.value) - Number(b.trial === pointed.value) ||
      (last.placeOf(b) ?? 2) - (last.placeOf(a) ?? 2),
  );
  return (
    <div class="table-scroll" role="region" tabIndex={0} aria-label={t('sweeps.parallel')}>
      <svg class="parallel" width={width} height={HEIGHT} role="img" aria-label={t('sweeps.parallel')}>
        {ordered.map((trial) => {
          const points = axes.flatMap((axis, index) => {
            const place = axis.placeOf(trial);
            return place === null ? [] : [`${x(index)},${y(place)}`];
          });
          const goodness = 1 - (last.placeOf(trial) ?? 1);
          return (
            <polyline
              key={trial.trial}
              class={trial.trial === pointed.value ? 'is-pointed' : ''}
              points={points.join(' ')}
              style={{ opacity: 0.12 + 0.75 * goodness ** 2 }}
              onMouseEnter={() => {
                pointed.value = trial.trial;
              }}
              onMouseLeave={() => {
                pointed.value = null;
              }}
            />
          );
        })}
        {axes.map((axis, index) => (
          <g key={axis.path}>
            <line x1={x(index)} x2={x(index)} y1={y(0)} y2={y(1)} />
            <text x={x(index)} y={14} class="parallel-name">
              {axis.path ?? objective}
            </text>
            {axis.marks.map(({ text, place }) => (
              <text key={place} x={x(index) + 7} y={y(place) + 4} class="parallel-mark">
                {text.length > 22 ? `${text.slice(0, 21)}…` : text}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
