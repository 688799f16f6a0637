/** What is shown of the list of experiments, and which of them are chosen. */
import { computed, signal } from '@preact/signals';
import { type ListView, listExperiments, type SortKey } from '../../logic/experiment-list.js';
import { experimentList, experiments, put, readOne } from './experiments.js';
import { readSetting, writeSetting } from './settings.js';

export const listView = signal<ListView>({
  text: '',
  state: 'all',
  tag: null,
  sort: 'created',
  descending: true,
});

export const shownExperiments = computed(() => listExperiments(experimentList.value, listView.value));

const chosenIds = signal<ReadonlySet<string>>(new Set());
/** Those that are still there. */
export const chosen = computed(() => [...chosenIds.value].filter((id) => experiments.value.has(id)));

/** The experiment that others are compared with. */
const baselineId = signal(readSetting('baseline'));
export const baseline = computed(() => experiments.value.get(baselineId.value ?? '') ?? null);

/** A page without the list shows the difference to it, too. */
export async function readBaseline(): Promise<void> {
  const id = baselineId.value;
  if (id === null || experiments.value.has(id)) return;
  const read = await readOne(id);
  if (read) put([read]);
}

export function changeView(change: Partial<ListView>): void {
  listView.value = { ...listView.value, ...change };
}

/** Sorts by a column; once more turns it round. Perplexities begin with the lowest. */
export function sortBy(sort: SortKey): void {
  const { sort: present, descending } = listView.value;
  const first = sort === 'created' || sort === 'speed';
  changeView({ sort, descending: present === sort ? !descending : first });
}

export function choose(id: string, isChosen: boolean): void {
  const next = new Set(chosenIds.value);
  if (isChosen) next.add(id);
  else next.delete(id);
  chosenIds.value = next;
}

export function chooseAll(ids: readonly string[]): void {
  chosenIds.value = new Set(ids);
}

export function pinBaseline(id: string | null): void {
  baselineId.value = id;
  writeSetting('baseline', id);
}
