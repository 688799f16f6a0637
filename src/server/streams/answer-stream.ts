import type { FastifyReply } from 'fastify';
import { clientSignal } from './client-signal.js';
import type { StreamRegistry } from './stream-registry.js';

/**
 * A streamed response. It starts with the first piece: an error before it can still be answered like any
 * other error. {@link signal} is aborted when the client disconnects or the server stops.
 */
export abstract class AnswerStream {
  readonly signal: AbortSignal;
  readonly #reply: FastifyReply;
  readonly #type: string;
  readonly #stop = new AbortController();
  readonly #remove: () => void;
  #hasBegun = false;

  /** @throws queue-full if the limit of open streams is reached */
  constructor(reply: FastifyReply, registry: StreamRegistry, type: string) {
    registry.assertRoom();
    this.#reply = reply;
    this.#type = type;
    this.signal = AbortSignal.any([clientSignal(reply), this.#stop.signal]);
    this.#remove = registry.add({ shutDown: () => this.#stop.abort() });
    reply.raw.on('error', () => this.#stop.abort());
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Must be called once, in every case. */
  end(): void {
    this.#remove();
    if (this.#hasBegun) this.#reply.raw.end();
  }

  /** @returns whether more can be written without waiting for the client */
  protected write(piece: string): boolean {
    if (!this.#hasBegun) this.#begin();
    return this.#reply.raw.write(piece);
  }

  /** Disconnects a client that does not read. */
  protected giveUp(): void {
    this.#stop.abort();
    this.#reply.raw.destroy();
  }

  protected get raw(): FastifyReply['raw'] {
    return this.#reply.raw;
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#reply.hijack();
    this.#reply.raw.writeHead(200, {
      ...(this.#reply.getHeaders() as Record<string, string>),
      'content-type': `${this.#type}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }
}
