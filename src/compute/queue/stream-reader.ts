import type { Redis } from 'ioredis';

/** Id and fields of an entry of a Redis stream. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** A stream that is read from an entry on. */
export interface FollowedStream {
  readonly key: string;
  /** Id of the last entry that was taken. */
  readonly lastId: string;
  /** Called after each read, also if there was nothing new. */
  take(entries: readonly StreamEntry[]): void;
}

/** Entries of one stream in one answer. */
const PAGE = 100;
/** Time between two reads if nothing was new. */
const POLL_MS = 100;

/** Reads all streams with one command, so that a thousand trainers cost Redis and the server no more than one. */
export class StreamReader {
  readonly #redis: Redis;
  readonly #onError: (error: unknown) => void;
  readonly #streams = new Set<FollowedStream>();
  #isReading = false;

  constructor(redis: Redis, onError: (error: unknown) => void) {
    this.#redis = redis;
    this.#onError = onError;
  }

  follow(stream: FollowedStream): void {
    this.#streams.add(stream);
    if (!this.#isReading) void this.#readAll();
  }

  release(stream: FollowedStream): void {
    this.#streams.delete(stream);
  }

  /** @returns whether any of them had new entries */
  async read(streams: readonly FollowedStream[]): Promise<boolean> {
    const ids = streams.map(({ lastId }) => lastId);
    const keys = streams.map(({ key }) => key);
    const answer = await this.#redis.xread('COUNT', PAGE, 'STREAMS', ...keys, ...ids);
    const found = new Map<string, readonly StreamEntry[]>(answer ?? []);
    for (const [index, stream] of streams.entries())
      if (stream.lastId === ids[index]) stream.take(found.get(stream.key) ?? []); // otherwise another read was faster
    return found.size > 0;
  }

  /** Until there is nothing to follow. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    while (this.#streams.size > 0) {
      const isBusy = await this.read([...this.#streams]).catch((error) => {
        if (this.#streams.size > 0) this.#onError(error); // otherwise it was closed
      });
      if (!isBusy) await new Promise((resume) => setTimeout(resume, POLL_MS));
    }
    this.#isReading = false;
  }
}
