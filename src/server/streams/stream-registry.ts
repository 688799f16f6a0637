import { appError } from '../../errors.js';

/** An open stream of events. */
export interface OpenStream {
  /** Closes the stream because the server is stopping. */
  shutDown(): void;
}

/** All open streams, WebSockets and server-sent events: limits their number, and closes them when the server stops. */
export class StreamRegistry {
  readonly #limit: number;
  readonly #streams = new Set<OpenStream>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** @throws queue-full if the limit of open streams is reached */
  assertRoom(): void {
    if (this.#streams.size >= this.#limit)
      throw appError('queue-full', { what: 'The number of open streams', limit: this.#limit });
  }

  /** @returns a function that removes the stream */
  add(stream: OpenStream): () => void {
    this.#streams.add(stream);
    return () => this.#streams.delete(stream);
  }

  shutDown(): void {
    for (const stream of [...this.#streams]) stream.shutDown();
  }
}
