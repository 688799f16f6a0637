/** What people do to experiments, with what is said when it went well or not. */
import type { Experiment } from '../../../src/contracts/experiment.js';
import { canDo, type Verb } from '../../logic/experiment-actions.js';
import { planMove } from '../../logic/queue-order.js';
import { deleteExperiment, editExperiment, getExperiment, listAll, runVerb } from '../api/experiments.js';
import { experiments, forget, put, refresh } from './experiments.js';
import { t } from './language.js';
import { attempt, notify } from './notices.js';

/** Verbs that need nothing but an experiment. */
export type PlainVerb = Exclude<Verb, 'continue' | 'fork' | 'delete'>;

export async function act(id: string, verb: PlainVerb): Promise<void> {
  const changed = await attempt(() => runVerb(id, verb));
  if (changed) put([changed]);
}

/** The same to many; those that it does not fit are left alone. */
export async function actOnMany(ids: readonly string[], verb: PlainVerb): Promise<void> {
  const fitting = ids.filter((id) => canDo(verb, experiments.value.get(id)!.state));
  await Promise.all(fitting.map((id) => act(id, verb)));
}

export async function remove(ids: readonly string[]): Promise<void> {
  const removed = await Promise.all(
    ids.map((id) =>
      attempt(async () => {
        await deleteExperiment(id);
        forget(id);
        return id;
      }),
    ),
  );
  const count = removed.filter((id) => id !== undefined).length;
  if (count > 0) notify('done', t('experiments.deleted', { count }));
}

export async function edit(id: string, change: Parameters<typeof editExperiment>[1]): Promise<boolean> {
  const changed = await attempt(() => editExperiment(id, change));
  if (changed) put([changed]);
  return changed !== undefined;
}

export async function addTag(ids: readonly string[], tag: string): Promise<void> {
  await Promise.all(ids.map((id) => addTagTo(id, tag)));
}

/** All tags are sent, so those of this moment are read: what is known here may lack some. */
async function addTagTo(id: string, tag: string): Promise<void> {
  const read = await attempt(() => getExperiment(id));
  if (!read) return;
  put([read]);
  if (!read.tags.includes(tag)) await edit(id, { tags: [...read.tags, tag] });
}

let moves: Promise<void> = Promise.resolve();

/**
 * Moves a queued experiment up (-1) or down (1) by so many places. Moves wait for each other, and each is planned from the queue
 * that the server has: of two quick ones the second is to begin where the first has ended.
 */
export function moveInQueue(id: string, by: number): Promise<void> {
  moves = moves.then(() => moveNow(id, by));
  return moves;
}

async function moveNow(id: string, by: number): Promise<void> {
  const waiting = await attempt(readQueue);
  if (!waiting) return;
  const place = waiting.findIndex((one) => one.id === id) + by;
  for (const [changed, priority] of planMove(waiting, id, place)) await edit(changed, { priority });
  await refresh();
}

async function readQueue(): Promise<Experiment[]> {
  const queued: Experiment[] = [];
  for await (const page of listAll({ state: 'queued' })) queued.push(...page);
  return queued.sort((a, b) => (a.queuePosition ?? 0) - (b.queuePosition ?? 0));
}
