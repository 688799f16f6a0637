import type { Signal } from '@preact/signals';
import type { SweepTrial } from '../../../../src/contracts/sweep-view.js';
import { formatFigure } from '../../../logic/format.js';
import { hrefOf } from '../../../logic/routes.js';
import { byValue, settingText } from '../../../logic/sweep-axes.js';
import { t } from '../../state/language.js';

interface TrialTableProps {
  readonly paths: readonly string[];
  readonly trials: readonly SweepTrial[];
  readonly objective: string;
  readonly pointed: Signal<number | null>;
}

/** All trials, the best first, each with its experiments. */
export function TrialTable({ paths, trials, objective, pointed }: TrialTableProps) {
  return (
    <div class="table-scroll" role="region" tabIndex={0} aria-label={t('sweeps.trials')}>
      <table class="config">
        <thead>
          <tr>
            <th scope="col">{t('sweeps.trial')}</th>
            <th scope="col">{t('column.state')}</th>
            <th scope="col">{objective}</th>
            <th scope="col">{t('sweeps.epochs')}</th>
            {paths.map((path) => (
              <th key={path} scope="col" class="mono">
                {path}
              </th>
            ))}
            <th scope="col">{t('nav.experiments')}</th>
          </tr>
        </thead>
        <tbody>
          {byValue(trials).map((trial) => (
            <tr
              key={trial.trial}
              class={trial.trial === pointed.value ? 'is-focused' : ''}
              onMouseEnter={() => {
                pointed.value = trial.trial;
              }}
              onMouseLeave={() => {
                pointed.value = null;
              }}
            >
              <th scope="row" class="number">
                {trial.trial}
              </th>
              <td>{t(`trial.${trial.state}`)}</td>
              <td class="number">
                <b>{formatFigure(trial.value)}</b>
              </td>
              <td class="number">{trial.epochs}</td>
              {paths.map((path) => (
                <td key={path} class="mono">
                  {settingText(trial.point[path])}
                </td>
              ))}
              <td>
                {trial.experimentIds.map((id, seed) => (
                  <a key={id} class="trial-link" href={hrefOf({ page: 'experiment', id })}>
                    {t('sweeps.openTrial', { trial: trial.trial, seed: seed + 1 })}
                  </a>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
