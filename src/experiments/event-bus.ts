import type { StoredEvent } from '../contracts/events.js';

/** A stored event and its JSON, made once for all who get it. */
export class PublishedEvent {
  readonly event: StoredEvent;
  #json: string | undefined;

  constructor(event: StoredEvent) {
    this.event = event;
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.event);
    return this.#json;
  }
}

/** Told of each event after it was stored; null: the experiment was deleted. */
export type EventListener = (published: PublishedEvent | null) => void;

/** Passes events on within this process, at once and in order. Keeps none: what is missed is in the store. */
export class EventBus {
  readonly #listeners = new Map<string, Set<EventListener>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError told what a listener threw; the other listeners still hear the event */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** @returns ends the subscription */
  subscribe(experimentId: string, listener: EventListener): () => void {
    const listeners = this.#listeners.get(experimentId) ?? new Set();
    this.#listeners.set(experimentId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(experimentId);
    };
  }

  publish(event: StoredEvent): void {
    this.#tell(event.experimentId, new PublishedEvent(event));
  }

  /** Tells that no event comes any more: the experiment is gone. */
  end(experimentId: string): void {
    this.#tell(experimentId, null);
    this.#listeners.delete(experimentId);
  }

  #tell(experimentId: string, published: PublishedEvent | null): void {
    for (const listener of [...(this.#listeners.get(experimentId) ?? [])]) {
      try {
        listener(published);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
