import type { TaskMessage } from '../contracts/jobs.js';

/** Collects the parts of all tasks until the next turn of the event loop: one message for a step of many texts. */
export class PartBatch {
  readonly #send: (message: TaskMessage) => void;
  #parts: [taskId: number, part: unknown][] = [];

  constructor(send: (message: TaskMessage) => void) {
    this.#send = send;
  }

  add(taskId: number, part: unknown): void {
    if (this.#parts.length === 0) setImmediate(() => this.flush());
    this.#parts.push([taskId, part]);
  }

  /** Sends what there is; to be called before the result of a task. */
  flush(): void {
    if (this.#parts.length === 0) return;
    this.#send({ type: 'parts', parts: this.#parts });
    this.#parts = [];
  }
}
