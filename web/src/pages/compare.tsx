import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import '../styles/run.css';
import '../styles/compare.css';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { compareConfigs } from '../../logic/config-difference.js';
import { Button } from '../components/button.js';
import { BestTable } from '../components/compare/best-table.js';
import { CompareChart } from '../components/compare/compare-chart.js';
import { openComparison } from '../state/comparison.js';
import { experimentList, experiments } from '../state/experiments.js';
import { t } from '../state/language.js';
import { replaceRoute } from '../state/router.js';

/** Colours of the curves, again from the first after the last. */
const COLOURS = Array.from({ length: 8 }, (_, index) => `--series-${index + 1}`);

export function ComparePage({ ids }: { readonly ids: readonly string[] }) {
  const key = ids.join();
  const comparison = useMemo(() => openComparison(ids), [key]);
  useEffect(() => () => comparison.close(), [comparison]);
  const focus = useSignal<string | null>(null);
  const runs = ids.flatMap((id) => experiments.value.get(id) ?? []);
  const colours = new Map(ids.map((id, index) => [id, COLOURS[index % COLOURS.length]!]));
  const show = (next: readonly string[]) => replaceRoute({ page: 'compare', ids: next });
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.compare')}</h1>
        <AddRun ids={ids} onAdd={(id) => show([...ids, id])} />
        {runs.length > 0 && <Button onClick={() => show([])}>{t('compare.clear')}</Button>}
      </div>
      {runs.length === 0 ? (
        <section class="card empty">
          <h2>{t('compare.emptyTitle')}</h2>
          <p>{t('compare.emptyText')}</p>
        </section>
      ) : (
        <div class="stack">
          <CompareChart runs={runs} comparison={comparison} colours={colours} focus={focus} />
          <BestTable
            runs={runs}
            colours={colours}
            focus={focus}
            onRemove={(id) => show(ids.filter((other) => other !== id))}
          />
          {runs.length > 1 && <Differences runs={runs} />}
        </div>
      )}
    </>
  );
}

function AddRun({ ids, onAdd }: { readonly ids: readonly string[]; readonly onAdd: (id: string) => void }) {
  const others = experimentList.value.filter(({ id }) => !ids.includes(id));
  return (
    <label>
      <span class="visually-hidden">{t('compare.add')}</span>
      <select
        value=""
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== '') onAdd(currentTarget.value);
          currentTarget.value = '';
        }}
      >
        <option value="">{t('compare.add')}</option>
        {others.map(({ id, name, config }) => (
          <option key={id} value={id}>
            {name} · {config.corpus}
          </option>
        ))}
      </select>
    </label>
  );
}

function Differences({ runs }: { readonly runs: readonly Experiment[] }) {
  const rows = compareConfigs(runs.map(({ config }) => config)).filter(({ differs }) => differs);
  return (
    <section class="card">
      <div class="card-body wide" role="region" tabIndex={0} aria-label={t('compare.differences')}>
        <h2>{t('compare.differences')}</h2>
        {rows.length === 0 ? (
          <p class="soft">{t('compare.same')}</p>
        ) : (
          <table class="config">
            <thead>
              <tr>
                <th scope="col">{t('config.setting')}</th>
                {runs.map(({ id, name }) => (
                  <th key={id} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ path, values }) => (
                <tr key={path}>
                  <th scope="row" class="mono">
                    {path}
                  </th>
                  {values.map((value, index) => (
                    <td key={runs[index]!.id} class="mono">
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
