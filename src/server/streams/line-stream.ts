import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { appError } from '../../errors.js';
import { clientSignal } from './client-signal.js';
import type { StreamRegistry } from './stream-registry.js';

export const LINES = 'application/x-ndjson';

/**
 * One answer as JSON Lines, written no faster than the client reads. It begins with the first line: what fails before can
 * still be answered as any other error. A client that leaves aborts {@link signal}.
 */
export class LineStream {
  readonly signal: AbortSignal;
  readonly #reply: FastifyReply;
  readonly #idleMs: number;
  readonly #stop = new AbortController();
  readonly #remove: () => void;
  #hasBegun = false;

  /** @param idleMs longest wait for a client that does not read @throws queue-full when no further stream may be opened */
  constructor(reply: FastifyReply, registry: StreamRegistry, idleMs: number) {
    registry.assertRoom();
    this.#reply = reply;
    this.#idleMs = idleMs;
    this.signal = AbortSignal.any([clientSignal(reply), this.#stop.signal]);
    this.#remove = registry.add({ shutDown: () => this.#stop.abort() });
    reply.raw.on('error', () => this.#stop.abort());
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Resolves when there is room for more. @throws cancelled, deadline-exceeded when the client does not read */
  async send(lines: readonly unknown[]): Promise<void> {
    const { raw } = this.#reply;
    if (raw.destroyed) throw appError('cancelled');
    if (!this.#hasBegun) this.#begin();
    if (raw.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) return;
    const late = AbortSignal.timeout(this.#idleMs);
    try {
      await once(raw, 'drain', { signal: AbortSignal.any([this.signal, late]) });
    } catch (cause) {
      if (!late.aborted) throw appError('cancelled', {}, cause);
      raw.destroy();
      throw appError('deadline-exceeded', { what: 'The client', limitMs: this.#idleMs }, cause);
    }
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
      'content-type': `${LINES}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }
}
