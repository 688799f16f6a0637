/** All experiments, kept up to date while a page that shows them is in sight. */
import { computed, effect, signal, untracked } from '@preact/signals';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { ACTIVE, isActive } from '../../logic/experiment-actions.js';
import type { PageName } from '../../logic/routes.js';
import { getExperiment, listAll, listPage } from '../api/experiments.js';
import { needsKey } from '../api/key.js';
import { ProblemError } from '../api/problem.js';
import { route } from './router.js';

const POLL_MS = 2000;
/** Now and then all are read again: what was deleted or renamed elsewhere shows. */
const RELOAD_MS = 60_000;
/** What was made and ended between two polls of what is active; each answer costs the server some milliseconds. */
const NEWEST_MS = 8000;
const NEWEST = '20';
/** They follow what they show by themselves, or show no experiment. */
const PAGES_WITHOUT_LIST: readonly PageName[] = ['experiment', 'corpora', 'machine'];

export const experiments = signal<ReadonlyMap<string, Experiment>>(new Map());
export const experimentList = computed(() => [...experiments.value.values()]);
/** Whether all were read once. */
export const isLoaded = signal(false);

let loadedAt = 0;
let newestAt = 0;
let atWork: Promise<void> | null = null;
let isAsked = false;
/** Deleted here; an answer that was under way may still have them. */
const deleted = new Set<string>();

export function startPolling(): void {
  const needsList = computed(() => !needsKey.value && !PAGES_WITHOUT_LIST.includes(route.value.page));
  const poll = () => {
    if (!document.hidden && needsList.value && !atWork) void refresh();
  };
  setInterval(poll, POLL_MS);
  document.addEventListener('visibilitychange', poll);
  effect(() => {
    if (needsList.value) untracked(poll); // at once, when one comes to such a page
  });
}

/** Reads what may have changed; where a read is at work, once more after it: its answer may be from before the change. */
export function refresh(): Promise<void> {
  isAsked = true;
  atWork ??= readWhileAsked();
  return atWork;
}

async function readWhileAsked(): Promise<void> {
  while (isAsked) {
    isAsked = false;
    try {
      if (Date.now() - loadedAt > RELOAD_MS) await reload();
      else await update();
    } catch {
      // The requests have said so; the next poll tries again.
    }
  }
  atWork = null;
}

async function reload(): Promise<void> {
  const all: Experiment[] = [];
  for await (const page of listAll()) {
    all.push(...page);
    if (!isLoaded.value) put(page); // the first page shows before the last one is there
  }
  experiments.value = new Map(all.filter(({ id }) => !deleted.has(id)).map((one) => [one.id, one]));
  isLoaded.value = true;
  loadedAt = Date.now();
}

async function update(): Promise<void> {
  const isDue = Date.now() - newestAt > NEWEST_MS;
  const [active, newest] = await Promise.all([
    listPage({ state: ACTIVE.join(',') }),
    isDue ? listPage({ limit: NEWEST }) : { items: [] },
  ]);
  if (isDue) newestAt = Date.now();
  const known = new Map([...newest.items, ...active.items].map((one) => [one.id, one]));
  const ended = experimentList.value.filter(({ id, state }) => isActive(state) && !known.has(id));
  const read = await Promise.all(ended.map(({ id }) => readOne(id)));
  put([...known.values(), ...read.filter((one) => one !== null)]);
}

export async function readOne(id: string): Promise<Experiment | null> {
  try {
    return await getExperiment(id);
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 404) forget(id);
    return null;
  }
}

/** Takes over what an answer said; what has not changed stays the same object. */
export function put(changed: readonly Experiment[]): void {
  const present = experiments.value;
  const next = changed.filter((one) => !deleted.has(one.id) && !isSame(present.get(one.id), one));
  if (next.length === 0) return;
  experiments.value = new Map([...present, ...next.map((one) => [one.id, one] as const)]);
}

export function forget(id: string): void {
  deleted.add(id);
  const next = new Map(experiments.value);
  next.delete(id);
  experiments.value = next;
}

/** With what people changed, which has no event: the same object where nothing is. */
export function withEdits(present: Experiment, read: Experiment): Experiment {
  const { name, tags, notes, priority } = read;
  return hasSameTexts(present, read) ? present : { ...present, name, tags, notes, priority };
}

/** Each event has a number, and what people change has no event. */
function isSame(a: Experiment | undefined, b: Experiment): boolean {
  if (a === undefined || a.seq !== b.seq) return false;
  return a.state === b.state && a.queuePosition === b.queuePosition && hasSameTexts(a, b);
}

function hasSameTexts(a: Experiment, b: Experiment): boolean {
  return (
    a.name === b.name &&
    a.priority === b.priority &&
    a.notes === b.notes &&
    a.tags.join('\n') === b.tags.join('\n')
  );
}
