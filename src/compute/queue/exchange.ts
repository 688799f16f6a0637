import type { RunEvent, TrainingJob } from '../../contracts/jobs.js';
import { appError } from '../../errors.js';
import type { ArtifactStore } from '../../files/artifact-store.js';
import type { FolderArtifactStore } from '../../files/folder-artifact-store.js';
import { LEASES, leaseKey } from '../../files/layout.js';
import { LeaseArtifactStore } from '../../files/lease-artifact-store.js';
import { createDeferred } from '../deferred.js';
import type { Lease, TrainingRun } from '../training-executor.js';
import { copyInputs, LEASE_RECORD, receiveFiles, receiveUnannounced } from './trainer-files.js';

export interface ExchangeOptions {
  readonly store: ArtifactStore;
  /** The data folder of the server. */
  readonly local: FolderArtifactStore;
  readonly onError: (error: unknown) => void;
  /** Time between two searches for files of finished leases. */
  readonly tidyMs?: number;
}

const TIDY_MS = 10 * 60_000;

/**
 * The server's side of a store that it shares with its trainers: gives each lease its inputs, fetches the files that an
 * event announces before the event is stored, and deletes what is no longer needed. One exchange belongs to one server.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  /** Keys of the leases whose files are needed. */
  readonly #held = new Set<string>();
  readonly #closed = createDeferred<'closed'>();
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const tidy = () => void this.tidy().catch(options.onError);
    this.#timer = setInterval(tidy, options.tidyMs ?? TIDY_MS).unref();
  }

  /** Puts the inputs of a training into the exchange. @throws host-unavailable when the server stops before that */
  async offer(job: TrainingJob): Promise<void> {
    this.#held.add(leaseKey(job));
    try {
      if (await this.#unlessClosed(this.#putInputs(job))) return;
    } catch (error) {
      await this.#delete(job);
      throw error;
    }
    throw appError('host-unavailable', { host: 'exchange', reason: 'the server stops' });
  }

  /**
   * The events of a run, each after its files have come to the server. What was not taken when the server stops comes
   * again.
   */
  async *follow(
    run: Pick<TrainingRun, 'experimentId' | 'attempt' | 'outcome'>,
    events: AsyncIterable<readonly RunEvent[]>,
  ): AsyncGenerator<readonly RunEvent[]> {
    this.#held.add(leaseKey(run));
    try {
      for await (const batch of events) {
        if (!(await this.#unlessClosed(this.#receive(run, batch)))) return;
        yield batch;
      }
      if (!this.#isClosed)
        await this.#unlessClosed(receiveUnannounced(run, this.#filesOf(run), this.#options.local));
    } finally {
      void run.outcome.then(() => this.#delete(run));
    }
  }

  /** Deletes the files of leases that ended while the server was down, or whose holder came back later. */
  async tidy(): Promise<void> {
    const { store } = this.#options;
    const keys = (await store.list(LEASES)).map((key) => key.split('/').slice(0, 2).join('/'));
    for (const key of new Set(keys)) if (!this.#held.has(key) && !this.#isClosed) await store.delete(key);
  }

  /** Leaves everything as it is for the next server. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#closed.resolve('closed');
  }

  async #putInputs(job: TrainingJob): Promise<void> {
    const files = this.#filesOf(job);
    await copyInputs(job, this.#options.local, files);
    const { experimentId, attempt } = job;
    await files.put(LEASE_RECORD, Buffer.from(JSON.stringify({ experimentId, attempt })));
  }

  async #receive(lease: Lease, batch: readonly RunEvent[]): Promise<void> {
    for (const { event } of batch)
      await receiveFiles(lease, event, this.#filesOf(lease), this.#options.local);
  }

  /** @returns false when the server stopped before the work was done; it may still fail then */
  async #unlessClosed(work: Promise<void>): Promise<boolean> {
    work.catch(() => {});
    return (await Promise.race([work, this.#closed.promise])) !== 'closed';
  }

  async #delete(lease: Lease): Promise<void> {
    if (this.#isClosed) return;
    this.#held.delete(leaseKey(lease));
    await this.#options.store.delete(leaseKey(lease)).catch(this.#options.onError); // then tidy() does it
  }

  #filesOf(lease: Lease): LeaseArtifactStore {
    return new LeaseArtifactStore(this.#options.store, lease);
  }
}
