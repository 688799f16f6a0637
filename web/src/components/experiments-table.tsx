import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { SortKey } from '../../logic/experiment-list.js';
import type { MessageKey } from '../../logic/messages/translate.js';
import { visibleRows } from '../../logic/virtual-rows.js';
import { t } from '../state/language.js';
import { chooseAll, chosen, listView, shownExperiments, sortBy } from '../state/list-view.js';
import { ExperimentRow, ROW_HEIGHT } from './experiment-row.js';

interface Column {
  readonly name: string;
  readonly text: MessageKey;
  readonly sort?: SortKey;
}

const COLUMNS: readonly Column[] = [
  { name: 'name', text: 'column.name', sort: 'name' },
  { name: 'state', text: 'column.state', sort: 'state' },
  { name: 'curve', text: 'column.curve' },
  { name: 'best', text: 'column.best', sort: 'best' },
  { name: 'latest', text: 'column.latest', sort: 'latest' },
  { name: 'speed', text: 'column.speed', sort: 'speed' },
  { name: 'left', text: 'column.left', sort: 'remaining' },
  { name: 'created', text: 'column.created', sort: 'created' },
];

/** The table draws the rows in sight alone: a thousand experiments scroll like ten. */
export function ExperimentsTable() {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 800 });
  const shown = shownExperiments.value;
  useEffect(() => {
    const element = scroller.current!;
    const measure = () => {
      view.value = { top: element.scrollTop, height: element.clientHeight };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  const { first, end, before, after } = visibleRows(shown.length, ROW_HEIGHT, view.value);
  return (
    <div
      class="table-scroller card"
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={t('nav.experiments')}
    >
      <div class="table" role="table" aria-rowcount={shown.length + 1} aria-label={t('nav.experiments')}>
        <div role="rowgroup" class="table-head">
          <Head />
        </div>
        <div role="rowgroup">
          <div style={{ height: `${before}px` }} aria-hidden="true" />
          {shown.slice(first, end).map((experiment, index) => (
            <ExperimentRow key={experiment.id} experiment={experiment} place={first + index + 1} />
          ))}
          <div style={{ height: `${after}px` }} aria-hidden="true" />
        </div>
      </div>
    </div>
  );
}

function Head() {
  const { sort, descending } = listView.value;
  const ids = shownExperiments.value.map(({ id }) => id);
  const areAllChosen = ids.length > 0 && chosen.value.length === ids.length;
  return (
    <div class="row row-head" role="row" aria-rowindex={1}>
      <span role="columnheader" class="cell-check">
        <input
          type="checkbox"
          aria-label={t('experiments.chooseAll')}
          checked={areAllChosen}
          onChange={() => chooseAll(areAllChosen ? [] : ids)}
        />
      </span>
      {COLUMNS.map((column) => (
        <span
          key={column.name}
          role="columnheader"
          class={`cell-${column.name}`}
          {...(column.sort === sort && {
            'aria-sort': descending ? ('descending' as const) : ('ascending' as const),
          })}
        >
          {column.sort ? (
            <button type="button" class="sort" onClick={() => sortBy(column.sort!)}>
              {t(column.text)}
              <span aria-hidden="true">{column.sort === sort ? (descending ? '↓' : '↑') : ''}</span>
            </button>
          ) : (
            t(column.text)
          )}
        </span>
      ))}
      <span role="columnheader" class="cell-actions">
        <span class="visually-hidden">{t('column.actions')}</span>
      </span>
    </div>
  );
}
