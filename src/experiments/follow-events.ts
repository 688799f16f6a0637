import type { EventType, StoredEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import { PublishedEvent } from './event-bus.js';
import { type EventHistory, lastOfStream, type NumberedEvent } from './event-history.js';

/** Whoever gets the events of an experiment or a sweep. */
export interface EventFollower<Event extends NumberedEvent = StoredEvent> {
  onEvent(published: PublishedEvent<Event>): void;
  /** Settles when more can be sent; awaited between pages of old events, for backpressure. */
  hasRoom(): Promise<void>;
  /** Called when all old events were delivered; further events are live. */
  onLive?(): void;
  /** No event comes any more, unless someone resumes or extends what they are about. */
  onEnd(reason: Event['type'] | 'deleted'): void;
  /** Called if old events could not be read; there are no more events. */
  onFailure(error: unknown): void;
}

/** Old events per page. */
const PAGE = 500;

/**
 * Delivers every event after `since`, from the store and then live, without gaps or duplicates.
 * @returns a function that stops following
 */
export function followEvents<Event extends NumberedEvent>(
  history: EventHistory<Event>,
  since: number,
  follower: EventFollower<Event>,
): () => void {
  let seq = Math.min(since, history.latestSeq() ?? 0); // a number that is too high would hide future events
  let isLive = false;
  let isOver = false;

  const unsubscribe = history.subscribe((published) => {
    if (published === null) end('deleted');
    else if (isLive) deliver(published); // before that, the replay will read it from the store
  });

  function deliver(published: PublishedEvent<Event>): void {
    if (isOver || published.event.seq <= seq) return;
    seq = published.event.seq;
    follower.onEvent(published);
    if (isLast(published.event)) end(published.event.type);
  }

  function end(reason: Event['type'] | 'deleted'): void {
    if (isOver) return;
    stop();
    follower.onEnd(reason);
  }

  function stop(): void {
    isOver = true;
    unsubscribe();
  }

  /** A final event ends the stream only if it is the latest: in a replay, the experiment continued after it. */
  function isLast(event: Event): boolean {
    return history.endsStream(event) && event.seq >= (history.latestSeq() ?? 0);
  }

  async function replay(): Promise<void> {
    while (!isOver) {
      const page = history.after(seq, PAGE);
      for (const event of page) deliver(new PublishedEvent(event));
      if (page.length < PAGE) {
        // Reading the last page and going live are one turn of the event loop: nothing can be published in between.
        isLive = true;
        follower.onLive?.();
        endIfNothingComes();
        return;
      }
      await follower.hasRoom();
    }
  }

  /** Ends the stream if the client already has the last event. */
  function endIfNothingComes(): void {
    const last = isOver ? null : lastOfStream(history);
    if (last && last.seq <= seq) end(last.type);
  }

  replay().catch((error: unknown) => {
    if (isOver) return;
    stop();
    follower.onFailure(error);
  });
  return stop;
}

export interface EventPageQuery {
  readonly since: number;
  readonly limit: number;
  /** Only these types; default: all. */
  readonly types?: readonly EventType[] | undefined;
}

/** Events after a number, oldest first. */
export function pageOfEvents(
  store: Store,
  experiment: ExperimentRecord,
  { since: asked, limit, types }: EventPageQuery,
): { items: StoredEvent[]; nextSince: number; hasMore: boolean } {
  const since = Math.min(asked, experiment.seq); // a number that is too high would hide future events
  const items = store.events.after(experiment, since, limit, types);
  const isLast = types !== undefined && items.length < limit; // later events have other types
  const nextSince = isLast ? experiment.seq : (items.at(-1)?.seq ?? since);
  return { items, nextSince, hasMore: nextSince < experiment.seq };
}
