import type { StoredEvent } from '../contracts/events.js';

/** A stored event and its JSON, serialized once for all subscribers. */
export class PublishedEvent<Event = StoredEvent> {
  readonly event: Event;
  #json: string | undefined;

  constructor(event: Event) {
    this.event = event;
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.event);
    return this.#json;
  }
}

/** Called with each event after it was stored; null = its subject was deleted. */
export type EventListener<Event = StoredEvent> = (published: PublishedEvent<Event> | null) => void;

/** Delivers events within this process, synchronously and in order. Keeps none: missed events are in the store. */
export class EventBus<Event = StoredEvent> {
  readonly #listeners = new Map<string, Set<EventListener<Event>>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError called with the error of a listener; the other listeners still receive the event */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** @returns a function that ends the subscription */
  subscribe(id: string, listener: EventListener<Event>): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** @param id of the experiment or sweep that the event is about */
  publish(id: string, event: Event): void {
    this.#tell(id, new PublishedEvent(event));
  }

  /** Announces that there will be no more events: their subject was deleted. */
  end(id: string): void {
    this.#tell(id, null);
    this.#listeners.delete(id);
  }

  #tell(id: string, published: PublishedEvent<Event> | null): void {
    for (const listener of [...(this.#listeners.get(id) ?? [])]) {
      try {
        listener(published);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
