import type { MessagePort } from 'node:worker_threads';

/**
 * Between two messages. Nobody sees a text that comes so much later, and a small model writes some 30 tokens meanwhile, each of
 * which is less work than a message through two processes: they would take the processors that it computes on.
 */
const PAUSE_MS = 5;

/** Posts the parts of a task, in order: the first at once, those that follow soon after it together. */
export class PacedParts {
  readonly #port: Pick<MessagePort, 'postMessage'>;
  #parts: unknown[] = [];
  #postedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(port: Pick<MessagePort, 'postMessage'>) {
    this.#port = port;
  }

  add(part: unknown): void {
    this.#parts.push(part);
    const waitMs = this.#postedAt + PAUSE_MS - performance.now();
    if (waitMs <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Posts what there is. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#parts.length === 0) return;
    this.#port.postMessage(this.#parts);
    this.#parts = [];
    this.#postedAt = performance.now();
  }
}
