import { type EventType, FINAL_EVENT_TYPES, type StoredEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import { type EventBus, PublishedEvent } from './event-bus.js';
import { findExperiment } from './find-experiment.js';

/** Whoever gets an experiment's events. */
export interface EventFollower {
  onEvent(published: PublishedEvent): void;
  /** Settles when there is room for more; asked between pages of old events, so that a replay is as slow as its reader. */
  hasRoom(): Promise<void>;
  /** All old events were given; what comes now has just happened. */
  onLive?(): void;
  /** No event comes any more, unless someone resumes the experiment. */
  onEnd(reason: EventType | 'deleted'): void;
  /** Old events could not be read; none comes any more. */
  onFailure(error: unknown): void;
}

/** Old events read at once. */
const PAGE = 500;

/**
 * Gives every event after `since`, from the store and then live, without gap or repetition.
 * @returns stops following
 * @throws experiment-not-found
 */
export function followEvents(
  { store, bus }: { readonly store: Store; readonly bus: EventBus },
  experimentId: string,
  since: number,
  follower: EventFollower,
): () => void {
  const experiment = findExperiment(store, experimentId);
  let seq = Math.min(since, experiment.seq); // a number from the future would hide what is yet to come
  let isLive = false;
  let isOver = false;

  const unsubscribe = bus.subscribe(experimentId, (published) => {
    if (published === null) end('deleted');
    else if (isLive) deliver(published); // before, the replay will meet it in the store
  });

  function deliver(published: PublishedEvent): void {
    if (isOver || published.event.seq <= seq) return;
    seq = published.event.seq;
    follower.onEvent(published);
    if (isLast(published.event)) end(published.event.type);
  }

  function end(reason: EventType | 'deleted'): void {
    if (isOver) return;
    stop();
    follower.onEnd(reason);
  }

  function stop(): void {
    isOver = true;
    unsubscribe();
  }

  /** An event that ends a stream does not end it in the middle of a replay: the experiment went on after it. */
  function isLast(event: StoredEvent): boolean {
    return endsStream(event) && event.seq >= (store.experiments.find(experimentId)?.seq ?? 0);
  }

  async function replay(): Promise<void> {
    while (!isOver) {
      const page = store.events.after(experiment, seq, PAGE);
      for (const event of page) deliver(new PublishedEvent(event));
      if (page.length < PAGE) {
        // Reading the last page and going live is one turn of the event loop: nothing can be published in between.
        isLive = true;
        follower.onLive?.();
        endIfNothingComes();
        return;
      }
      await follower.hasRoom();
    }
  }

  /** The client has seen the last event before, or begins after it. */
  function endIfNothingComes(): void {
    const last = isOver ? undefined : lastEvent(store, experimentId);
    if (last && last.seq <= seq && endsStream(last)) end(last.type);
  }

  replay().catch((error: unknown) => {
    if (isOver) return;
    stop();
    follower.onFailure(error);
  });
  return stop;
}

/** Whether no event comes any more by itself. */
export function hasEnded(store: Store, { id }: Pick<ExperimentRecord, 'id'>): boolean {
  const last = lastEvent(store, id);
  return last !== undefined && endsStream(last);
}

export interface EventPageQuery {
  readonly since: number;
  readonly limit: number;
  /** Those alone; all when left out. */
  readonly types?: readonly EventType[] | undefined;
}

/** Events after a number, oldest first. */
export function pageOfEvents(
  store: Store,
  experiment: ExperimentRecord,
  { since: asked, limit, types }: EventPageQuery,
): { items: StoredEvent[]; nextSince: number; hasMore: boolean } {
  const since = Math.min(asked, experiment.seq); // a number from the future would hide what is yet to come
  const items = store.events.after(experiment, since, limit, types);
  const isLast = types !== undefined && items.length < limit; // what follows is of other types
  const nextSince = isLast ? experiment.seq : (items.at(-1)?.seq ?? since);
  return { items, nextSince, hasMore: nextSince < experiment.seq };
}

function lastEvent(store: Store, experimentId: string): StoredEvent | undefined {
  const experiment = store.experiments.find(experimentId);
  return experiment && store.events.after(experiment, experiment.seq - 1, 1)[0];
}

/** Whether no other event comes after this one by itself. */
function endsStream(event: StoredEvent): boolean {
  return FINAL_EVENT_TYPES.includes(event.type) || (event.type === 'interrupted' && !event.data.willRestart);
}
