import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { appError } from '../../errors.js';
import { AnswerStream } from './answer-stream.js';
import type { StreamRegistry } from './stream-registry.js';

export const LINES = 'application/x-ndjson';

/** A response as JSON Lines, written no faster than the client reads. */
export class LineStream extends AnswerStream {
  readonly #idleMs: number;

  /** @param idleMs maximum wait for a client that does not read @throws queue-full if the limit of open streams is reached */
  constructor(reply: FastifyReply, registry: StreamRegistry, idleMs: number) {
    super(reply, registry, LINES);
    this.#idleMs = idleMs;
  }

  /** Resolves when more can be written. @throws cancelled, deadline-exceeded if the client does not read */
  async send(lines: readonly unknown[]): Promise<void> {
    if (this.raw.destroyed) throw appError('cancelled');
    if (this.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) return;
    const late = AbortSignal.timeout(this.#idleMs);
    try {
      await once(this.raw, 'drain', { signal: AbortSignal.any([this.signal, late]) });
    } catch (cause) {
      if (!late.aborted) throw appError('cancelled', {}, cause);
      this.giveUp();
      throw appError('deadline-exceeded', { what: 'The client', limitMs: this.#idleMs }, cause);
    }
  }
}
