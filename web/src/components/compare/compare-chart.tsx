import { type Signal, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { formatFigure } from '../../../logic/format.js';
import { PTB_FIGURES } from '../../../logic/published-figures.js';
import { curveOf, runScaleOf, smooth, withExact } from '../../../logic/series.js';
import { chartView } from '../../state/chart-view.js';
import { type Comparison, MAX_POINTS, METRICS, type Metric } from '../../state/comparison.js';
import { useExactPoints } from '../../state/exact-points.js';
import { t } from '../../state/language.js';
import { axisFormat, tickFormat } from '../axis-format.js';
import { Chart, type ChartLine, type Range } from '../chart.js';
import { ChartControls } from '../chart-controls.js';
import { Downloads } from './downloads.js';

interface CompareChartProps {
  readonly runs: readonly Experiment[];
  readonly comparison: Comparison;
  readonly colours: ReadonlyMap<string, string>;
  /** The run that stands out. */
  readonly focus: Signal<string | null>;
}

export function CompareChart({ runs, comparison, colours, focus }: CompareChartProps) {
  const metric = useSignal<Metric>('validPerplexity');
  const range = useSignal<Range | null>(null);
  const showsFigures = useSignal(runs.some(({ config }) => config.corpus === 'ptb'));
  const { axis, isLogarithmic, smoothing } = chartView.value;
  const series = comparison.series.value;
  const key = metric.value;
  const present = METRICS.filter((name) => [...series.values()].some((run) => (run[name]?.length ?? 0) > 0));

  const thinned = runs.map((run) => ({
    id: run.id,
    points: series.get(run.id)?.[key] ?? [],
    scale: runScaleOf(run),
  }));
  const zoomed = { axis, range: range.value, maxPoints: MAX_POINTS, keys: [key] };
  const exact = useExactPoints(thinned, zoomed);

  const lines = useMemo(
    () =>
      runs.map((run): ChartLine => {
        const { id, name } = run;
        const points = withExact(series.get(id)?.[key] ?? [], exact.get(id)?.[key]);
        const curve = curveOf(points, axis, runScaleOf(run));
        const ys = key.startsWith('step') ? smooth(curve.ys, smoothing) : curve.ys;
        return {
          key: id,
          label: name,
          colour: colours.get(id)!,
          curve: { xs: curve.xs, ys },
          hasPoints: true,
        };
      }),
    [series, exact, key, axis, smoothing, runs.map(({ id, name }) => id + name).join()],
  );
  const isPtb = runs.some(({ config }) => config.corpus === 'ptb') && key.endsWith('Perplexity');
  const references = isPtb && showsFigures.value ? PTB_FIGURES : [];
  const label = t(`metric.${key}`);
  return (
    <section class="card card-body" aria-label={label}>
      <div class="chart-head">
        <label>
          <span class="visually-hidden">{t('compare.metric')}</span>
          <select
            value={key}
            onChange={({ currentTarget }) => {
              metric.value = currentTarget.value as Metric;
            }}
          >
            {(present.length > 0 ? present : [key]).map((name) => (
              <option key={name} value={name}>
                {t(`metric.${name}`)}
              </option>
            ))}
          </select>
        </label>
        <ChartControls
          isZoomed={range.value !== null}
          onReset={() => {
            range.value = null;
          }}
        />
      </div>
      <Chart
        label={label}
        lines={lines}
        height={420}
        isLogarithmic={isLogarithmic}
        formatX={axisFormat(axis)}
        formatTickX={tickFormat(axis)}
        formatY={formatFigure}
        references={references}
        range={range.value}
        onRange={(next) => {
          range.value = next;
        }}
        focusKey={focus.value}
        onFocus={(run) => {
          focus.value = run;
        }}
      />
      <div class="compare-foot">
        {isPtb && (
          <label class="check small">
            <input
              type="checkbox"
              checked={showsFigures.value}
              onChange={({ currentTarget }) => {
                showsFigures.value = currentTarget.checked;
              }}
            />
            {t('compare.figures')}
          </label>
        )}
        <Downloads
          runs={runs}
          metric={key}
          comparison={comparison}
          isComplete={runs.every(({ id }) => series.has(id))}
          picture={{
            title: label,
            xLabel: t(`axis.${axis}`),
            lines,
            isLogarithmic,
            references,
            range: range.value,
            formatX: tickFormat(axis),
          }}
        />
      </div>
    </section>
  );
}
