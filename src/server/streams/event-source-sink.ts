import type { ServerResponse } from 'node:http';
import { eventText } from '../event-text.js';
import type { ProgressMessage, ProgressSink, StreamEnd } from './follow-run.js';

/** Time after which a disconnected client reconnects. */
const RETRY_MS = 2000;

/**
 * A progress stream as server-sent events (HTML standard, section 9.2): each event has its number as `id`, so that a client that
 * reconnects continues where it was.
 */
export class EventSourceSink implements ProgressSink {
  readonly #response: ServerResponse;

  /** @param response whose head has been written */
  constructor(response: ServerResponse) {
    this.#response = response;
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  get isOpen(): boolean {
    return !this.#response.destroyed;
  }

  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  send({ type, json, seq }: ProgressMessage): void {
    this.#response.write(eventText(type, json, seq));
  }

  heartbeat(): void {
    this.#response.write(': heartbeat\n\n');
  }

  hasRoom(): Promise<void> {
    const response = this.#response;
    if (!response.writableNeedDrain) return Promise.resolve();
    return new Promise((drained) => response.once('drain', drained).once('close', drained));
  }

  onClose(callback: () => void): void {
    this.#response.on('close', callback);
    this.#response.on('error', callback);
  }

  end({ why }: StreamEnd): void {
    if (why === 'over' || why === 'shutdown') this.#response.end();
    else this.#response.destroy(); // the client reconnects with its Last-Event-ID
  }
}
