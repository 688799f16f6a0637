import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { appError } from '../../errors.js';
import { AnswerStream } from './answer-stream.js';
import type { StreamRegistry } from './stream-registry.js';

export const LINES = 'application/x-ndjson';

/** One answer as JSON Lines, written no faster than the client reads. */
export class LineStream extends AnswerStream {
  readonly #idleMs: number;

  /** @param idleMs longest wait for a client that does not read @throws queue-full when no further stream may be opened */
  constructor(reply: FastifyReply, registry: StreamRegistry, idleMs: number) {
    super(reply, registry, LINES);
    this.#idleMs = idleMs;
  }

  /** Resolves when there is room for more. @throws cancelled, deadline-exceeded when the client does not read */
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
