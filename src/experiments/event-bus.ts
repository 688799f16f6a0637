import type { StoredEvent } from '../contracts/events.js';

/** A stored event and its JSON, made once for all who get it. */
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

/** Told of each event after it was stored; null: what it is about was deleted. */
export type EventListener<Event = StoredEvent> = (published: PublishedEvent<Event> | null) => void;

/** Passes events on within this process, at once and in order. Keeps none: what is missed is in the store. */
export class EventBus<Event = StoredEvent> {
  readonly #listeners = new Map<string, Set<EventListener<Event>>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError told what a listener threw; the other listeners still hear the event */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** @returns ends the subscription */
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

  /** Tells that no event comes any more: what they were about is gone. */
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
