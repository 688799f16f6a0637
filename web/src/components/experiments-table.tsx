import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Experiment } from '../../../src/contracts/experiment.js';
import type { SortKey } from '../../logic/experiment-list.js';
import type { MessageKey } from '../../logic/messages/translate.js';
import { assignSlots, visibleRows } from '../../logic/virtual-rows.js';
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

/** Then it has come to rest. */
const REST_MS = 120;

/**
 * The table draws the rows in sight alone: a thousand experiments scroll like ten. While it scrolls, rows that have left are used
 * again where others come; at rest they stand in their order, for those who go through them by keyboard.
 */
export function ExperimentsTable() {
  const scroller = useRef<HTMLDivElement>(null);
  const topRow = useSignal(0);
  const height = useSignal(800);
  const isMoving = useSignal(false);
  useEffect(() => {
    const element = scroller.current!;
    let rest: ReturnType<typeof setTimeout> | undefined;
    const scroll = () => {
      topRow.value = Math.floor(element.scrollTop / ROW_HEIGHT);
      isMoving.value = true;
      clearTimeout(rest);
      rest = setTimeout(() => {
        isMoving.value = false;
      }, REST_MS);
    };
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    element.addEventListener('scroll', scroll, { passive: true });
    return () => {
      clearTimeout(rest);
      observer.disconnect();
      element.removeEventListener('scroll', scroll);
    };
  }, []);
  const shown = shownExperiments.value;
  const view = { top: topRow.value * ROW_HEIGHT, height: height.value };
  const { first, end } = visibleRows(shown.length, ROW_HEIGHT, view);
  const inSight = shown
    .slice(first, end)
    .map((experiment, index) => ({ experiment, place: first + index + 1 }));
  const rows = useRows(inSight, isMoving.value);
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
        <div role="rowgroup" class="table-rows" style={{ height: `${shown.length * ROW_HEIGHT}px` }}>
          {rows.map(({ slot, experiment, place }) => (
            <ExperimentRow key={slot} experiment={experiment} place={place} />
          ))}
        </div>
      </div>
    </div>
  );
}

interface PlacedExperiment {
  readonly experiment: Experiment;
  readonly place: number;
}

/** Rows with the slots that draw them, in the order in which they stand in the document. */
function useRows(inSight: readonly PlacedExperiment[], isMoving: boolean) {
  const slots = useRef<ReadonlyMap<string, number>>(new Map());
  const order = useRef<readonly number[]>([]);
  slots.current = assignSlots(
    slots.current,
    inSight.map(({ experiment }) => experiment.id),
  );
  const rows = inSight.map((row) => ({ ...row, slot: slots.current.get(row.experiment.id)! }));
  const bySlot = new Map(rows.map((row) => [row.slot, row]));
  const keepsOrder =
    isMoving && order.current.length === rows.length && order.current.every((slot) => bySlot.has(slot));
  if (!keepsOrder) order.current = rows.map(({ slot }) => slot);
  return order.current.map((slot) => bySlot.get(slot)!);
}

function Head() {
  const { sort, descending } = listView.value;
  const ids = shownExperiments.value.map(({ id }) => id);
  const chosenIds = new Set(chosen.value);
  const areAllChosen = ids.length > 0 && ids.every((id) => chosenIds.has(id));
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
