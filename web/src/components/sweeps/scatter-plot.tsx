import { type Signal, useSignal } from '@preact/signals';
import type { SweepTrial } from '../../../../src/contracts/sweep-view.js';
import type { SweepAxis } from '../../../logic/sweep-axes.js';
import { t } from '../../state/language.js';

const [WIDTH, HEIGHT] = [520, 260];
const MARGIN = { top: 12, right: 16, bottom: 30, left: 56 };

interface ScatterPlotProps {
  readonly axes: readonly SweepAxis[];
  readonly trials: readonly SweepTrial[];
  readonly objective: string;
  readonly pointed: Signal<number | null>;
}

/** What the trials came to over one of the settings. */
export function ScatterPlot({ axes, trials, objective, pointed }: ScatterPlotProps) {
  const chosen = useSignal(0);
  const across = axes[chosen.value]!;
  const up = axes.at(-1)!;
  const x = (place: number) => MARGIN.left + place * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (place: number) => HEIGHT - MARGIN.bottom - place * (HEIGHT - MARGIN.top - MARGIN.bottom);
  return (
    <div class="stack">
      <label class="field">
        <span class="field-label">{t('sweeps.setting')}</span>
        <select
          value={chosen.value}
          onChange={({ currentTarget }) => {
            chosen.value = Number(currentTarget.value);
          }}
        >
          {axes.slice(0, -1).map(({ path }, index) => (
            <option key={path} value={index}>
              {path}
            </option>
          ))}
        </select>
      </label>
      <svg
        class="scatter"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={t('sweeps.scatter', { setting: across.path ?? '', objective })}
      >
        <line x1={x(0)} x2={x(1)} y1={y(0)} y2={y(0)} />
        <line x1={x(0)} x2={x(0)} y1={y(0)} y2={y(1)} />
        {across.marks.map(({ text, place }) => (
          <text key={text} x={x(place)} y={HEIGHT - 10} text-anchor="middle">
            {text}
          </text>
        ))}
        {up.marks.map(({ text, place }) => (
          <text key={text} x={MARGIN.left - 8} y={y(place) + 4} text-anchor="end">
            {text}
          </text>
        ))}
        {trials.map((trial) => {
          const [left, top] = [across.placeOf(trial), up.placeOf(trial)];
          if (left === null || top === null) return null;
          return (
            <circle
              key={trial.trial}
              class={trial.trial === pointed.value ? 'is-pointed' : `trial-${trial.state}`}
              cx={x(left)}
              cy={y(top)}
              r={trial.trial === pointed.value ? 7 : 4.5}
              onMouseEnter={() => {
                pointed.value = trial.trial;
              }}
              onMouseLeave={() => {
                pointed.value = null;
              }}
            />
          );
        })}
      </svg>
    </div>
  );
}
