import type { Signal } from '@preact/signals';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { formatCount, formatDelta, formatFigure } from '../../../logic/format.js';
import { hrefOf } from '../../../logic/routes.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import { baseline, pinBaseline } from '../../state/list-view.js';
import { Button } from '../button.js';
import { StateBadge } from '../state-badge.js';

interface BestTableProps {
  readonly runs: readonly Experiment[];
  readonly colours: ReadonlyMap<string, string>;
  readonly focus: Signal<string | null>;
  readonly onRemove: (id: string) => void;
}

/** The best of each run, not only the last, with the difference to the pinned one. */
export function BestTable({ runs, colours, focus, onRemove }: BestTableProps) {
  const corpora = new Set(runs.map(({ config }) => config.corpus));
  const tokenizers = new Set(runs.map(({ config }) => JSON.stringify(config.tokenizer)));
  const warning =
    corpora.size > 1 ? 'compare.otherCorpora' : tokenizers.size > 1 ? 'compare.otherTokenizers' : null;
  const pinned = baseline.value;
  return (
    <section class="card">
      <div class="card-body wide" role="region" tabIndex={0} aria-label={t('compare.bests')}>
        <h2>{t('compare.bests')}</h2>
        {warning && <p class="banner small">{t(warning)}</p>}
        <table class="config best-table">
          <thead>
            <tr>
              <th scope="col">{t('column.name')}</th>
              <th scope="col">{t('column.state')}</th>
              <th scope="col">{t('column.best')}</th>
              <th scope="col">{t('compare.delta')}</th>
              <th scope="col">{t('compare.bitsPerByte')}</th>
              <th scope="col">{t('axis.epoch')}</th>
              <th scope="col">{t('figure.test')}</th>
              <th scope="col">{t('figure.parameters')}</th>
              <th scope="col">{t('figure.took')}</th>
              <th scope="col">
                <span class="visually-hidden">{t('column.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map(({ id, name, state, best, test, parameterCount, startedAt, endedAt }) => (
              <tr
                key={id}
                class={focus.value === id ? 'is-focused' : ''}
                onMouseEnter={() => {
                  focus.value = id;
                }}
                onMouseLeave={() => {
                  focus.value = null;
                }}
              >
                <th scope="row">
                  <span
                    class="legend-line"
                    style={{ background: `var(${colours.get(id)})` }}
                    aria-hidden="true"
                  />
                  <a href={hrefOf({ page: 'experiment', id })}>{name}</a>
                </th>
                <td>
                  <StateBadge state={state} />
                </td>
                <td class="number">
                  <b>{formatFigure(best.validPerplexity)}</b>
                </td>
                <td class="number">
                  {pinned?.id === id
                    ? t('experiments.baseline')
                    : (formatDelta(best.validPerplexity, pinned?.best.validPerplexity) ?? '–')}
                </td>
                <td class="number">{formatFigure(best.validBitsPerByte)}</td>
                <td class="number">{best.epoch ?? '–'}</td>
                <td class="number">{formatFigure(test.perplexity)}</td>
                <td class="number">{formatCount(parameterCount)}</td>
                <td class="number">
                  {durationText(
                    startedAt && endedAt ? (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 : null,
                  )}
                </td>
                <td>
                  <Button
                    kind="quiet"
                    icon="pin"
                    label={t('action.pin', { name })}
                    pressed={pinned?.id === id}
                    onClick={() => pinBaseline(pinned?.id === id ? null : id)}
                  />
                  <Button
                    kind="quiet"
                    icon="close"
                    label={t('compare.remove', { name })}
                    onClick={() => onRemove(id)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
