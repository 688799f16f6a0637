import { appError } from '../../errors.js';

/** An open stream of events. */
export interface OpenStream {
  /** Ends it because the server stops. */
  shutDown(): void;
}

/** All open streams, WebSockets and Server-Sent Events, so that there is a limit and an orderly end. */
export class StreamRegistry {
  readonly #limit: number;
  readonly #streams = new Set<OpenStream>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** @throws queue-full when no further stream may be opened */
  assertRoom(): void {
    if (this.#streams.size >= this.#limit)
      throw appError('queue-full', { what: 'The number of open streams', limit: this.#limit });
  }

  /** @returns takes the stream out again */
  add(stream: OpenStream): () => void {
    this.#streams.add(stream);
    return () => this.#streams.delete(stream);
  }

  shutDown(): void {
    for (const stream of [...this.#streams]) stream.shutDown();
  }
}
