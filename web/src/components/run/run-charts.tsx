import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import type { MetricPoint } from '../../../../src/contracts/metrics.js';
import { formatCount, formatFigure } from '../../../logic/format.js';
import { curveOf, type HorizontalAxis, smooth } from '../../../logic/series.js';
import { getSeries } from '../../api/experiments.js';
import { chartView } from '../../state/chart-view.js';
import { t } from '../../state/language.js';
import { type FollowedRun, MAX_POINTS } from '../../state/run.js';
import { axisFormat, tickFormat } from '../axis-format.js';
import { Chart, type ChartLine, type Range } from '../chart.js';
import { ChartControls } from '../chart-controls.js';

interface RunChartsProps {
  readonly experiment: Experiment;
  readonly run: FollowedRun;
}

type Series = ReadonlyMap<string, readonly MetricPoint[]>;

const SYNC = 'run';
const DETAIL_DELAY_MS = 250;

export function RunCharts({ experiment, run }: RunChartsProps) {
  const range = useSignal<Range | null>(null);
  const { axis, isLogarithmic, smoothing } = chartView.value;
  const origin = Date.parse(experiment.startedAt ?? experiment.createdAt);
  const version = run.version.value;
  const exact = useExactPoints(run, experiment.id, axis, origin, range.value);
  const series: Series = exact ?? run.live.series;
  const curve = (key: string) => curveOf(series.get(key) ?? [], axis, origin);
  const onRange = (next: Range | null) => {
    range.value = next;
  };
  const shared = {
    formatX: axisFormat(axis),
    formatTickX: tickFormat(axis),
    syncKey: SYNC,
    range: range.value,
    onRange,
  };

  const train = curve('stepPerplexity');
  const valid = curve('validPerplexity');
  const lines: ChartLine[] = [
    { key: 'raw', label: t('chart.train'), colour: '--series-2', curve: train, isFaint: smoothing > 0 },
    ...(smoothing > 0
      ? [
          {
            key: 'smooth',
            label: t('chart.train'),
            colour: '--series-2',
            curve: { xs: train.xs, ys: smooth(train.ys, smoothing) },
          },
        ]
      : []),
    { key: 'valid', label: t('chart.valid'), colour: '--series-1', curve: valid, hasPoints: true },
  ];
  const small = [
    { key: 'stepLearningRate', label: t('chart.learningRate'), colour: '--series-3', format: formatFigure },
    { key: 'stepGradNorm', label: t('chart.gradNorm'), colour: '--series-4', format: formatFigure },
    {
      key: 'stepTokensPerSecond',
      label: t('chart.tokensPerSecond'),
      colour: '--series-5',
      format: formatCount,
    },
  ];
  return (
    <section class="charts" data-version={version} aria-label={t('chart.title')}>
      <div class="card card-body chart-large">
        <div class="chart-head">
          <h2>{t('chart.perplexity')}</h2>
          <ChartControls isZoomed={range.value !== null} onReset={() => onRange(null)} />
        </div>
        {train.xs.length + valid.xs.length === 0 ? (
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
      {train.xs.length > 0 &&
        small.map(({ key, label, colour, format }) => (
          <div key={key} class="card card-body">
            <Chart
              {...shared}
              label={label}
              lines={[{ key, label, colour, curve: curve(key) }]}
              height={130}
              formatY={format}
            />
          </div>
        ))}
    </section>
  );
}

/** Where a long training is looked at from near, its points uncut, read from the server. */
function useExactPoints(
  run: FollowedRun,
  id: string,
  axis: HorizontalAxis,
  origin: number,
  range: Range | null,
) {
  const exact = useSignal<{ readonly range: Range; readonly series: Series } | null>(null);
  useEffect(() => {
    exact.value = null;
    const steps = run.live.series.get('stepPerplexity') ?? [];
    if (!range || steps.length < MAX_POINTS / 2) return; // nothing was left out
    const { xs } = curveOf(steps, axis, origin);
    const from = steps[Math.max(0, xs.findIndex((x) => x >= range[0]) - 1)];
    const to = steps[xs.findIndex((x) => x >= range[1])] ?? steps.at(-1);
    if (!from || !to) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const query = { fromStep: from.step, toStep: to.step, maxPoints: MAX_POINTS };
      getSeries(id, query, abort.signal).then(
        (series) => {
          exact.value = { range, series: new Map(Object.entries(series)) };
        },
        () => {}, // the thinned ones stay
      );
    }, DETAIL_DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [range, axis]);
  return exact.value?.range === range ? exact.value?.series : undefined;
}
