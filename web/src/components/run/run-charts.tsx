import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { formatCount, formatFigure } from '../../../logic/format.js';
import { curveOf, runScaleOf, smooth, withExact } from '../../../logic/series.js';
import { chartView } from '../../state/chart-view.js';
import { useExactPoints } from '../../state/exact-points.js';
import { language, t } from '../../state/language.js';
import { type FollowedRun, MAX_POINTS } from '../../state/run.js';
import { axisFormat, tickFormat } from '../axis-format.js';
import { Chart, type ChartLine, type Range } from '../chart.js';
import { ChartControls } from '../chart-controls.js';

interface RunChartsProps {
  readonly experiment: Experiment;
  readonly run: FollowedRun;
}

const SYNC = 'run';
/** Below the perplexity. */
const SMALL = [
  { key: 'stepLearningRate', text: 'chart.learningRate', colour: '--series-3', format: formatFigure },
  { key: 'stepGradNorm', text: 'chart.gradNorm', colour: '--series-4', format: formatFigure },
  { key: 'stepTokensPerSecond', text: 'chart.tokensPerSecond', colour: '--series-5', format: formatCount },
] as const;

export function RunCharts({ experiment, run }: RunChartsProps) {
  const range = useSignal<Range | null>(null);
  const moved = useSignal<Range | null>(null);
  const { axis, isLogarithmic, smoothing } = chartView.value;
  const { id } = experiment;
  const scale = runScaleOf(experiment);
  const version = run.version.value;
  const points = run.live.series.get('stepPerplexity') ?? [];
  const zoomed = { axis, range: range.value, maxPoints: MAX_POINTS };
  const exact = useExactPoints([{ id, points, scale }], zoomed).get(id);
  const curve = (key: string) =>
    curveOf(withExact(run.live.series.get(key) ?? [], exact?.[key]), axis, scale);
  const onRange = (next: Range | null) => {
    range.value = next;
  };
  const shared = {
    formatX: axisFormat(axis),
    formatTickX: tickFormat(axis),
    syncKey: SYNC,
    range: range.value,
    onRange,
    moved,
  };

  const lines = useMemo((): ChartLine[] => {
    const train = curve('stepPerplexity');
    const smoothed = { xs: train.xs, ys: smooth(train.ys, smoothing) };
    const name = { label: t('chart.train'), colour: '--series-2' };
    return [
      { ...name, key: 'raw', curve: train, isFaint: smoothing > 0 },
      ...(smoothing > 0 ? [{ ...name, key: 'smooth', curve: smoothed }] : []),
      {
        key: 'valid',
        label: t('chart.valid'),
        colour: '--series-1',
        curve: curve('validPerplexity'),
        hasPoints: true,
      },
    ];
  }, [run.live, version, axis, exact, smoothing, language.value]);
  const isEmpty = lines.every(({ curve: { xs } }) => xs.length === 0);
  const small = useMemo(
    () =>
      SMALL.map(({ key, text, colour, format }) => {
        const label = t(text);
        return { label, format, lines: [{ key, label, colour, curve: curve(key) }] };
      }),
    [run.live, version, axis, exact, language.value],
  );
  return (
    <section class="charts" data-version={version} aria-label={t('chart.title')}>
      <div class="card card-body chart-large">
        <div class="chart-head">
          <h2>{t('chart.perplexity')}</h2>
          <ChartControls isZoomed={range.value !== null} onReset={() => onRange(null)} />
        </div>
        {isEmpty ? (
          <p class="chart-empty faint">{t('chart.empty')}</p>
        ) : (
          <Chart
            {...shared}
            label={t('chart.perplexity')}
            lines={lines}
            height={320}
            isLogarithmic={isLogarithmic}
            formatY={formatFigure}
          />
        )}
      </div>
      {points.length > 0 &&
        small.map(({ label, lines: own, format }) => (
          <div key={label} class="card card-body">
            <Chart {...shared} label={label} lines={own} height={130} formatY={format} />
          </div>
        ))}
    </section>
  );
}
