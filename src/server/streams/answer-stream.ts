import type { FastifyReply } from 'fastify';
import { clientSignal } from './client-signal.js';
import type { StreamRegistry } from './stream-registry.js';

/**
 * An answer that is written piece by piece. It begins with the first piece: what fails before can still be answered as any
 * other error. A client that leaves aborts {@link signal}, and so does the end of the server.
 */
export abstract class AnswerStream {
  readonly signal: AbortSignal;
  readonly #reply: FastifyReply;
  readonly #type: string;
  readonly #stop = new AbortController();
  readonly #remove: () => void;
  #hasBegun = false;

  /** @throws queue-full when no further stream may be opened */
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

  /** To be called once, whatever happened. */
  end(): void {
    this.#remove();
    if (this.#hasBegun) this.#reply.raw.end();
  }

  /** @returns whether the client can take more at once */
  protected write(piece: string): boolean {
    if (!this.#hasBegun) this.#begin();
    return this.#reply.raw.write(piece);
  }

  /** Gives up a client that does not read. */
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
