import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/run.css';
import '../styles/compare.css';
import '../styles/corpora.css';
import '../styles/sweeps.css';
import type { Sweep } from '../../../src/contracts/sweep-view.js';
import { formatFigure } from '../../logic/format.js';
import { hrefOf } from '../../logic/routes.js';
import { listSweeps } from '../api/sweeps.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { SweepDetail } from '../components/sweeps/sweep-detail.js';
import { t } from '../state/language.js';

/** Searches for the best settings. */
export function SweepsPage({ id }: { readonly id: string | null }) {
  const sweeps = useSignal<readonly Sweep[] | null>(null);
  const failure = useSignal<unknown>(null);
  useEffect(() => {
    const abort = new AbortController();
    listSweeps(abort.signal).then(
      (items) => {
        sweeps.value = items;
      },
      (error: unknown) => {
        if (!abort.signal.aborted) failure.value = error;
      },
    );
    return () => abort.abort();
  }, [id]);
  const chosen = id ?? sweeps.value?.[0]?.id ?? null;
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.sweeps')}</h1>
      </div>
      {failure.value !== null && <ProblemNotice error={failure.value} />}
      {sweeps.value?.length === 0 && id === null ? (
        <section class="card empty">
          <h2>{t('sweeps.emptyTitle')}</h2>
          <p>{t('sweeps.emptyText')}</p>
        </section>
      ) : (
        <div class="stack">
          <nav class="card sweep-list" aria-label={t('nav.sweeps')}>
            {(sweeps.value ?? []).map((sweep) => (
              <a
                key={sweep.id}
                class="corpus"
                href={hrefOf({ page: 'sweeps', id: sweep.id })}
                {...(chosen === sweep.id && { 'aria-current': 'true' as const })}
              >
                <span class="corpus-name">{sweep.name}</span>
                <span class="faint small number">
                  {t(`sweep.${sweep.state}`)} · {sweep.trials.proposed} / {sweep.trials.limit} ·{' '}
                  {formatFigure(sweep.best?.value)}
                </span>
              </a>
            ))}
          </nav>
          {chosen !== null && <SweepDetail key={chosen} id={chosen} />}
        </div>
      )}
    </>
  );
}
