/** What the table of experiments shows, and in which order. */
import type { Experiment } from '../../src/contracts/experiment.js';
import { isActive, progressOf } from './experiment-actions.js';

export type StateFilter = 'all' | 'active' | 'succeeded' | 'stopped';
export const STATE_FILTERS: readonly StateFilter[] = ['all', 'active', 'succeeded', 'stopped'];

export type SortKey = 'name' | 'state' | 'best' | 'latest' | 'speed' | 'remaining' | 'created';

export interface ListView {
  readonly text: string;
  readonly state: StateFilter;
  readonly tag: string | null;
  readonly sort: SortKey;
  readonly descending: boolean;
}

export function listExperiments(all: readonly Experiment[], view: ListView): Experiment[] {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = all.filter(
    (experiment) =>
      fitsState(experiment, view.state) &&
      (view.tag === null || experiment.tags.includes(view.tag)) &&
      fitsWords(experiment, words),
  );
  const sign = view.descending ? -1 : 1;
  return kept.sort(
    (a, b) => compareValues(sortValueOf(a, view.sort), sortValueOf(b, view.sort), sign) || byAge(a, b),
  );
}

/** All tags, the most used first. */
export function tagsOf(all: readonly Experiment[]): string[] {
  const counts = new Map<string, number>();
  for (const { tags } of all) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([tag]) => tag);
}

function fitsState({ state }: Experiment, filter: StateFilter): boolean {
  if (filter === 'all') return true;
  if (filter === 'succeeded') return state === 'succeeded';
  return filter === 'active' ? isActive(state) : !isActive(state) && state !== 'succeeded';
}

function fitsWords({ id, name, tags, notes, config }: Experiment, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [id, name, notes, config.corpus, config.preset ?? '', ...tags].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

function sortValueOf(experiment: Experiment, key: SortKey): number | string | null {
  switch (key) {
    case 'name':
      return experiment.name.toLowerCase();
    case 'state':
      return `${experiment.state} ${1 - progressOf(experiment)}`;
    case 'best':
      return experiment.best.validPerplexity;
    case 'latest':
      return experiment.latest.validPerplexity;
    case 'speed':
      return experiment.latest.tokensPerSecond;
    case 'remaining':
      return isActive(experiment.state) ? experiment.latest.remainingSeconds : null;
    case 'created':
      return experiment.createdAt;
  }
}

/** Those without a value come last, whichever way it is sorted. */
function compareValues(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (a === b) return 0;
  return a < b ? -sign : sign;
}

function byAge(a: Experiment, b: Experiment): number {
  return b.createdAt.localeCompare(a.createdAt);
}
