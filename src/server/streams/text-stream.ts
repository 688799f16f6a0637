import type { FastifyReply } from 'fastify';
import { eventText } from '../event-text.js';
import { AnswerStream } from './answer-stream.js';
import type { StreamRegistry } from './stream-registry.js';

export const EVENT_STREAM = 'text/event-stream';

/** A response as server-sent events. A client that reads too slowly is disconnected. */
export class TextStream extends AnswerStream {
  readonly #maxBufferBytes: number;

  /** @throws queue-full if the limit of open streams is reached */
  constructor(reply: FastifyReply, registry: StreamRegistry, maxBufferBytes: number) {
    super(reply, registry, EVENT_STREAM);
    this.#maxBufferBytes = maxBufferBytes;
  }

  send(data: string, event?: string): void {
    if (this.signal.aborted && this.raw.destroyed) return;
    this.write(eventText(event ?? null, data));
    if (this.raw.writableLength > this.#maxBufferBytes) this.giveUp();
  }
}
