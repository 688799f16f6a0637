import type { FastifyReply } from 'fastify';
import { clientSignal } from './client-signal.js';
import type { StreamRegistry } from './stream-registry.js';

export const EVENT_STREAM = 'text/event-stream';

/**
 * One answer as Server-Sent Events. It begins with the first message: what fails before can still be answered as any
 * other error. A client that leaves, or reads too slowly, aborts {@link signal}.
 */
export class TextStream {
  readonly signal: AbortSignal;
  readonly #reply: FastifyReply;
  readonly #maxBufferBytes: number;
  readonly #stop = new AbortController();
  readonly #remove: () => void;
  #hasBegun = false;

  /** @throws queue-full when no further stream may be opened */
  constructor(reply: FastifyReply, registry: StreamRegistry, maxBufferBytes: number) {
    registry.assertRoom();
    this.#reply = reply;
    this.#maxBufferBytes = maxBufferBytes;
    this.signal = AbortSignal.any([clientSignal(reply), this.#stop.signal]);
    this.#remove = registry.add({ shutDown: () => this.#stop.abort() });
    reply.raw.on('error', () => this.#stop.abort());
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  send(data: string, event?: string): void {
    if (this.signal.aborted && this.#reply.raw.destroyed) return;
    if (!this.#hasBegun) this.#begin();
    const { raw } = this.#reply;
    raw.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);
    if (raw.writableLength <= this.#maxBufferBytes) return;
    this.#stop.abort(); // it does not read
    raw.destroy();
  }

  /** To be called once, whatever happened. */
  end(): void {
    this.#remove();
    if (this.#hasBegun) this.#reply.raw.end();
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#reply.hijack();
    this.#reply.raw.writeHead(200, {
      ...(this.#reply.getHeaders() as Record<string, string>),
      'content-type': `${EVENT_STREAM}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }
}
