import type { Lease } from '../compute/training-executor.js';
import type { RunEvent } from '../contracts/jobs.js';
import { type RecordDependencies, recordRunEvent } from './record-run.js';

interface Batch {
  readonly lease: Lease;
  readonly events: readonly RunEvent[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Number of events after which a transaction takes no more batches, so that other work is not kept waiting. */
const MAX_EVENTS = 100;

/** Records the events of all trainings; those that arrive together share a transaction, and its wait for the disk. */
export class RunRecorder {
  readonly #dependencies: RecordDependencies;
  readonly #waiting: Batch[] = [];

  constructor(dependencies: RecordDependencies) {
    this.#dependencies = dependencies;
  }

  /** Settles when they are stored. If one cannot be, none of this batch is; those of other trainings are. */
  record(lease: Lease, events: readonly RunEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#recordWaiting());
      this.#waiting.push({ lease, events, resolve, reject });
    });
  }

  #recordWaiting(): void {
    const batches = this.#nextBatches();
    if (this.#waiting.length > 0) setImmediate(() => this.#recordWaiting());
    try {
      this.#store(batches);
      for (const { resolve } of batches) resolve();
    } catch {
      for (const batch of batches) this.#recordAlone(batch);
    }
  }

  #nextBatches(): Batch[] {
    let count = 0;
    const end = this.#waiting.findIndex(({ events }) => {
      count += events.length;
      return count >= MAX_EVENTS;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end + 1);
  }

  #recordAlone(batch: Batch): void {
    try {
      this.#store([batch]);
      batch.resolve();
    } catch (error) {
      batch.reject(error);
    }
  }

  #store(batches: readonly Batch[]): void {
    this.#dependencies.store.transaction(() => {
      for (const { lease, events } of batches)
        for (const event of events) recordRunEvent(this.#dependencies, lease, event);
    });
  }
}
