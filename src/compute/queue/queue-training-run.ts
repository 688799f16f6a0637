import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { RunEntry, type RunRequest } from '../../contracts/cluster.js';
import type { RunEvent, StopMode, TrainingOutcome } from '../../contracts/jobs.js';
import { createDeferred } from '../deferred.js';
import { EventQueue } from '../event-queue.js';
import type { Lease, TrainingRun } from '../training-executor.js';
import type { Exchange } from './exchange.js';
import { jobIdOf, RUN_TTL_SECONDS, requestsOf, streamOf } from './queue-names.js';
import type { FollowedStream, StreamEntry, StreamReader } from './stream-reader.js';

export interface QueueRunDependencies {
  readonly queue: Queue;
  readonly redis: Redis;
  readonly reader: StreamReader;
  /** Through which files travel; null = over HTTP. */
  readonly exchange: Exchange | null;
  /** Time between two checks of its trainer. */
  readonly watchMs: number;
  readonly onError: (error: unknown) => void;
}

/** A training on another machine, as seen by the server: its stream in Redis, and the job of its lease. */
export class QueueTrainingRun implements TrainingRun, FollowedStream {
  readonly experimentId: string;
  readonly attempt: number;
  readonly key: string;
  readonly #dependencies: QueueRunDependencies;
  readonly #events = new EventQueue<RunEvent>();
  readonly #outcome = createDeferred<TrainingOutcome>();
  /** How old the oldest event was that was read last, in milliseconds by the clock of Redis; 0 where none waited. */
  lagMs = 0;
  lastId = '0';
  #lastSeq: number;
  #isOver = false;

  /** @param since number of the last known event */
  constructor(lease: Lease, since: number, dependencies: QueueRunDependencies) {
    this.experimentId = lease.experimentId;
    this.attempt = lease.attempt;
    this.key = streamOf(lease);
    this.#lastSeq = since;
    this.#dependencies = dependencies;
    dependencies.reader.follow(this);
    void this.#watch();
  }

  get events(): AsyncIterable<readonly RunEvent[]> {
    const { exchange } = this.#dependencies;
    return exchange ? exchange.follow(this, this.#events) : this.#events;
  }

  get outcome(): Promise<TrainingOutcome> {
    return this.#outcome.promise;
  }

  stop(mode: StopMode): void {
    void this.#ask(mode);
  }

  kill(): void {
    void this.#ask('kill');
  }

  /** Stops following; the training continues. */
  detach(): void {
    this.#finish({
      type: 'interrupted',
      reason: 'the server stopped; the training continues on its trainer',
    });
  }

  async #ask(request: RunRequest): Promise<void> {
    const { queue, redis, onError } = this.#dependencies;
    try {
      const key = requestsOf(this);
      await redis.multi().rpush(key, request).expire(key, RUN_TTL_SECONDS).exec();
      // A job that no trainer has taken yet is removed immediately.
      const job = await queue.getJob(jobIdOf(this));
      if (!job || (await job.getState()) === 'active') return;
      if (
        !(await job
          .remove()
          .then(() => true)
          .catch(() => false))
      )
        return; // a trainer was faster
      this.#finish(
        request === 'kill'
          ? { type: 'interrupted', reason: 'it was killed before a trainer took it' }
          : { type: 'stopped', mode: request },
      );
    } catch (error) {
      onError(error);
    }
  }

  take(entries: readonly StreamEntry[]): void {
    const [oldest] = entries;
    this.lagMs = oldest ? Math.max(0, Date.now() - Number.parseInt(oldest[0], 10)) : 0;
    for (const [id, [, json]] of entries) {
      this.lastId = id;
      if (this.#isOver) break;
      try {
        this.#takeEntry(RunEntry.parse(JSON.parse(json ?? 'null')));
      } catch (error) {
        this.#dependencies.onError(error);
      }
    }
  }

  #takeEntry(entry: RunEntry): void {
    if (entry.type === 'outcome') this.#finish(entry.outcome);
    else if (entry.seq > this.#lastSeq) {
      this.#lastSeq = entry.seq;
      this.#events.push({ seq: entry.seq, event: entry.event });
    }
  }

  /** Checks again and again that a trainer holds the lease. */
  async #watch(): Promise<void> {
    const { reader, redis, watchMs, onError } = this.#dependencies;
    while (!this.#isOver) {
      await new Promise((resume) => setTimeout(resume, watchMs));
      if (this.#isOver) return;
      try {
        const reason = await this.#lostReason();
        // Its last events may have arrived in the meantime.
        if (reason === null || (await reader.read([this])) || this.#isOver) continue;
        await redis.expire(this.key, RUN_TTL_SECONDS); // its trainer may never do it
        this.#finish({ type: 'interrupted', reason });
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Why no trainer holds the lease any more; null = one holds it, or none has taken it yet. */
  async #lostReason(): Promise<string | null> {
    const { queue, redis } = this.#dependencies;
    const id = jobIdOf(this);
    const isLocked = await redis.exists(`${queue.opts.prefix ?? 'bull'}:${queue.name}:${id}:lock`);
    if (isLocked === 1) {
      this.#missedLock = false;
      return null;
    }
    const job = await queue.getJob(id);
    if (!job) return 'its job is no longer in the queue';
    const state = await job.getState();
    if (state === 'failed') return `its trainer gave up: ${job.failedReason}`;
    if (state === 'completed') return 'its trainer finished without reporting an outcome';
    if (state !== 'active') return null;
    // Checked twice: between taking a job and locking it, there is a moment without a lock.
    if (!this.#missedLock) {
      this.#missedLock = true;
      return null;
    }
    return 'its trainer is gone: it has not renewed its lease in time';
  }

  #missedLock = false;

  #finish(outcome: TrainingOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#dependencies.reader.release(this);
    this.#events.end();
    this.#outcome.resolve(outcome);
  }
}
