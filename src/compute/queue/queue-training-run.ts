import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { RunEntry, type RunRequest } from '../../contracts/cluster.js';
import type { RunEvent, StopMode, TrainingOutcome } from '../../contracts/jobs.js';
import { createDeferred } from '../deferred.js';
import { EventQueue } from '../event-queue.js';
import type { Lease, TrainingRun } from '../training-executor.js';
import { jobIdOf, RUN_TTL_SECONDS, requestsOf, streamOf } from './queue-names.js';

export interface QueueRunDependencies {
  readonly queue: Queue;
  readonly redis: Redis;
  /** Time between two checks of its trainer. */
  readonly watchMs: number;
  readonly onError: (error: unknown) => void;
}

const PAGE = 500;
/** Time between two polls of a stream. */
const POLL_MS = 100;

/** A training on another machine, as seen by the server: its stream in Redis, and the job of its lease. */
export class QueueTrainingRun implements TrainingRun {
  readonly experimentId: string;
  readonly attempt: number;
  readonly #dependencies: QueueRunDependencies;
  readonly #events = new EventQueue<RunEvent>();
  readonly #outcome = createDeferred<TrainingOutcome>();
  /** How old the oldest event was that was read last, in milliseconds by the clock of Redis; 0 where none waited. */
  lagMs = 0;
  #lastId = '0';
  #lastSeq: number;
  #isOver = false;

  /** @param since number of the last known event */
  constructor(lease: Lease, since: number, dependencies: QueueRunDependencies) {
    this.experimentId = lease.experimentId;
    this.attempt = lease.attempt;
    this.#lastSeq = since;
    this.#dependencies = dependencies;
    void this.#follow();
  }

  get events(): AsyncIterable<RunEvent> {
    return this.#events;
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

  async #follow(): Promise<void> {
    const { redis, watchMs, onError } = this.#dependencies;
    let lookedAt = Date.now();
    while (!this.#isOver) {
      try {
        const isBusy = await this.#readStream();
        if (isBusy || this.#isOver) continue;
        if (Date.now() - lookedAt >= watchMs) {
          const reason = await this.#lostReason();
          // Its last events may have arrived in the meantime.
          if (reason !== null && !(await this.#readStream()) && !this.#isOver) {
            await redis.expire(streamOf(this), RUN_TTL_SECONDS); // its trainer may never do it
            this.#finish({ type: 'interrupted', reason });
          }
          lookedAt = Date.now();
        }
      } catch (error) {
        onError(error);
      }
      await new Promise((resume) => setTimeout(resume, POLL_MS));
    }
  }

  /** @returns whether there were entries */
  async #readStream(): Promise<boolean> {
    const { redis } = this.#dependencies;
    const entries = await redis.xrange(streamOf(this), `(${this.#lastId}`, '+', 'COUNT', PAGE);
    const [oldest] = entries;
    this.lagMs = oldest ? Math.max(0, Date.now() - Number.parseInt(oldest[0], 10)) : 0;
    for (const [id, [, json]] of entries) {
      this.#lastId = id;
      if (this.#isOver) break;
      const entry = RunEntry.parse(JSON.parse(json ?? 'null'));
      if (entry.type === 'outcome') this.#finish(entry.outcome);
      else if (entry.seq > this.#lastSeq) {
        this.#lastSeq = entry.seq;
        this.#events.push({ seq: entry.seq, event: entry.event });
      }
    }
    return entries.length > 0;
  }

  /** Why no trainer holds the lease any more; null = one holds it, or none has taken it yet. */
  async #lostReason(): Promise<string | null> {
    const { queue, redis } = this.#dependencies;
    const job = await queue.getJob(jobIdOf(this));
    if (!job) return 'its job is no longer in the queue';
    const state = await job.getState();
    if (state === 'failed') return `its trainer gave up: ${job.failedReason}`;
    if (state === 'completed') return 'its trainer finished without reporting an outcome';
    if (state !== 'active') return null;
    const lock = await redis.exists(`${queue.opts.prefix ?? 'bull'}:${queue.name}:${job.id}:lock`);
    if (lock === 1) return null;
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
    this.#events.end();
    this.#outcome.resolve(outcome);
  }
}
