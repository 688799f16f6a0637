import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Sweep, SweepTrial } from '../../../../src/contracts/sweep-view.js';
import { formatFigure, formatPercent, formatTick } from '../../../logic/format.js';
import { hrefOf } from '../../../logic/routes.js';
import { byValue, sweepAxes } from '../../../logic/sweep-axes.js';
import { readSweep, runSweepVerb } from '../../api/sweeps.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import { attempt } from '../../state/notices.js';
import { Button } from '../button.js';
import { ProblemNotice } from '../problem-notice.js';
import { ParallelPlot } from './parallel-plot.js';
import { ScatterPlot } from './scatter-plot.js';
import { TrialTable } from './trial-table.js';

const POLL_MS = 3000;
/** Experiments that are compared at once. */
const COMPARED = 8;

/** A sweep, read again and again while it runs. */
export function SweepDetail({ id }: { readonly id: string }) {
  const found = useSignal<{ readonly sweep: Sweep; readonly trials: readonly SweepTrial[] } | null>(null);
  const failure = useSignal<unknown>(null);
  const pointed = useSignal<number | null>(null);
  const read = async (signal?: AbortSignal) => {
    try {
      found.value = await readSweep(id, signal);
      failure.value = null;
    } catch (error) {
      if (!signal?.aborted) failure.value = error;
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void read(abort.signal);
    const timer = setInterval(() => {
      const isSettled = ['finished', 'cancelled'].includes(found.value?.sweep.state ?? '');
      if (!isSettled && !document.hidden) void read(abort.signal);
    }, POLL_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [id]);
  if (!found.value)
    return failure.value === null ? null : (
      <ProblemNotice error={failure.value} onRetry={() => void read()} />
    );
  const { sweep, trials } = found.value;
  const objective = t(`sweeps.${sweep.objective}`);
  const axes = sweepAxes(sweep.space, trials, formatTick);
  const plots = { axes, trials, objective, pointed };
  const verb = (name: 'pause' | 'resume' | 'cancel') =>
    void attempt(async () => {
      await runSweepVerb(sweep.id, name);
      await read();
    });
  const best = byValue(trials)
    .flatMap(({ experimentIds }) => experimentIds)
    .slice(0, COMPARED);
  return (
    <div class="stack">
      {failure.value !== null && <ProblemNotice error={failure.value} onRetry={() => void read()} />}
      <section class="card card-body stack">
        <div class="chart-head">
          <h2>{sweep.name}</h2>
          <div class="chart-controls">
            {sweep.state === 'running' && (
              <Button icon="pause" onClick={() => verb('pause')}>
                {t('action.pause')}
              </Button>
            )}
            {sweep.state === 'paused' && (
              <Button icon="play" onClick={() => verb('resume')}>
                {t('action.resume')}
              </Button>
            )}
            {(sweep.state === 'running' || sweep.state === 'paused') && (
              <Button icon="stop" onClick={() => verb('cancel')}>
                {t('action.cancel')}
              </Button>
            )}
            {best.length > 0 && (
              <a class="button" href={hrefOf({ page: 'compare', ids: best })}>
                {t('sweeps.compareBest')}
              </a>
            )}
          </div>
        </div>
        <p class="soft" aria-live="polite">
          {t(`sweep.${sweep.state}`)} ·{' '}
          {t('sweeps.progress', { proposed: sweep.trials.proposed, limit: sweep.trials.limit })} ·{' '}
          {t('sweeps.saved', { trained: sweep.epochs.trained, whole: sweep.epochs.withoutStopping })} ·{' '}
          {durationText(sweep.runningSeconds)}
        </p>
        {sweep.best && (
          <p>
            {t('sweeps.best', { trial: sweep.best.trial })}: {objective}{' '}
            <b class="number">{formatFigure(sweep.best.value)}</b>
          </p>
        )}
      </section>
      <section class="card card-body stack">
        <h2>{t('sweeps.parallel')}</h2>
        <ParallelPlot {...plots} />
      </section>
      <div class="sweep-plots">
        <section class="card card-body stack">
          <h2>{objective}</h2>
          <ScatterPlot {...plots} />
        </section>
        <section class="card card-body stack">
          <h2>{t('sweeps.importance')}</h2>
          <Importance importance={sweep.importance} />
        </section>
      </div>
      <section class="card card-body stack">
        <h2>{t('sweeps.trials')}</h2>
        <TrialTable {...plots} paths={Object.keys(sweep.space)} />
      </section>
    </div>
  );
}

function Importance({ importance }: { readonly importance: Sweep['importance'] }) {
  if (!importance) return <p class="faint small">{t('sweeps.noImportance')}</p>;
  const rows = Object.entries(importance).sort((a, b) => b[1] - a[1]);
  return (
    <dl class="importance">
      {rows.map(([path, part]) => (
        <div key={path}>
          <dt class="mono">{path}</dt>
          <dd class="number">
            <span class="alternative-bar" aria-hidden="true">
              <span style={{ width: `${Math.max(1, part * 100)}%` }} />
            </span>
            {formatPercent(part)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
