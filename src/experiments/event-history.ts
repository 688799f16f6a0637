import { FINAL_EVENT_TYPES, type StoredEvent } from '../contracts/events.js';
import type { Store } from '../store/store.js';
import type { EventBus, EventListener } from './event-bus.js';

/** What events of all kinds have. */
export interface NumberedEvent {
  /** 1, 2, 3 … */
  readonly seq: number;
  readonly type: string;
}

/** The events of one experiment or one sweep: those that are stored, and those that come. */
export interface EventHistory<Event extends NumberedEvent> {
  /** Number of the latest event; null: what they are about is gone. */
  latestSeq(): number | null;
  /** Events after a number, oldest first. */
  after(seq: number, limit: number): Event[];
  /** Told of each event after it was stored. @returns ends the subscription */
  subscribe(listener: EventListener<Event>): () => void;
  /** Whether no other event comes after this one by itself. */
  endsStream(event: Event): boolean;
}

export function experimentHistory(
  { store, bus }: { readonly store: Store; readonly bus: EventBus },
  experimentId: string,
): EventHistory<StoredEvent> {
  return {
    latestSeq: () => store.experiments.find(experimentId)?.seq ?? null,
    after(seq, limit) {
      const experiment = store.experiments.find(experimentId);
      return experiment ? store.events.after(experiment, seq, limit) : [];
    },
    subscribe: (listener) => bus.subscribe(experimentId, listener),
    endsStream: ({ type, data }) =>
      FINAL_EVENT_TYPES.includes(type) || (type === 'interrupted' && !data.willRestart),
  };
}

/** The last event, if it is one after which none comes by itself. */
export function lastOfStream<Event extends NumberedEvent>(history: EventHistory<Event>): Event | null {
  const latest = history.latestSeq();
  const [last] = latest === null ? [] : history.after(latest - 1, 1);
  return last && history.endsStream(last) ? last : null;
}
