import type { z } from 'zod';
import type { Experiment } from '../../../src/contracts/experiment.js';
import type { EditExperimentBody, ExperimentPageBody } from '../../../src/contracts/http.js';
import type { Checkpoint, MetricPoint, MetricSeries } from '../../../src/contracts/metrics.js';
import type { PresetList as PresetListSchema } from '../../../src/contracts/preset-list.js';
import type { EventPage as EventPageSchema } from '../../../src/contracts/progress.js';
import { request } from './request.js';

type EventPage = z.infer<typeof EventPageSchema>;
type ExperimentPage = z.infer<typeof ExperimentPageBody>;
export type EventBody = EventPage['items'][number];
export type PresetList = z.infer<typeof PresetListSchema>;

const PAGE = 200;
const pathOf = (id: string) => `/experiments/${encodeURIComponent(id)}`;

/** A page of experiments, the newest first. */
export function listPage(query: Readonly<Record<string, string>>): Promise<ExperimentPage> {
  return request(`/experiments?${new URLSearchParams({ limit: String(PAGE), ...query })}`);
}

/** All experiments that the query names, page by page. */
export async function* listAll(
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<readonly Experiment[]> {
  let cursor: string | null = null;
  do {
    const page: ExperimentPage = await listPage(cursor === null ? query : { ...query, cursor });
    yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

export function getExperiment(id: string, signal?: AbortSignal): Promise<Experiment> {
  return request(pathOf(id), { signal });
}

export function editExperiment(id: string, body: z.infer<typeof EditExperimentBody>): Promise<Experiment> {
  return request(pathOf(id), { method: 'PATCH', body });
}

export function deleteExperiment(id: string): Promise<void> {
  return request(pathOf(id), { method: 'DELETE' });
}

export function runVerb(id: string, verb: string, body?: object): Promise<Experiment> {
  return request(`${pathOf(id)}/${verb}`, { method: 'POST', ...(body && { body }) });
}

export interface SeriesQuery {
  readonly keys?: readonly string[];
  /** Most points of a series, its extremes among them. */
  readonly maxPoints?: number;
  readonly fromStep?: number;
  readonly toStep?: number;
}

export async function getSeries(
  id: string,
  { keys, ...rest }: SeriesQuery,
  signal?: AbortSignal,
): Promise<Record<string, MetricPoint[]>> {
  const query = new URLSearchParams();
  if (keys) query.set('keys', keys.join(','));
  for (const [name, value] of Object.entries(rest)) query.set(name, String(value));
  if (rest.maxPoints !== undefined) query.set('keep', 'extremes');
  return (await request<MetricSeries>(`${pathOf(id)}/metrics?${query}`, { signal })).series;
}

/** All events of these types, oldest first. */
export async function getHistory(
  id: string,
  types: readonly string[],
  signal?: AbortSignal,
): Promise<EventBody[]> {
  const items: EventBody[] = [];
  for (let since = 0; ; ) {
    const query = new URLSearchParams({ types: types.join(','), since: String(since), limit: '5000' });
    const page = await request<EventPage>(`${pathOf(id)}/events?${query}`, { signal });
    items.push(...page.items);
    if (!page.hasMore) return items;
    since = page.nextSince;
  }
}

export async function getCheckpoints(id: string): Promise<readonly Checkpoint[]> {
  return (await request<{ items: Checkpoint[] }>(`${pathOf(id)}/checkpoints`)).items;
}

let presets: Promise<PresetList['items']> | undefined;

/** They do not change while the server runs. */
export function getPresets(): Promise<PresetList['items']> {
  presets ??= request<PresetList>('/presets').then(
    ({ items }) => items,
    (error: unknown) => {
      presets = undefined;
      throw error;
    },
  );
  return presets;
}
