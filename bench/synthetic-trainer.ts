import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import {
  LOCK_MS,
  QUEUE,
  streamOf,
  TRAINER_PREFIX,
  TRAINER_TTL_MS,
} from '../src/compute/queue/queue-names.js';
import { thisMachine } from '../src/compute/this-machine.js';
import type { Lease } from '../src/compute/training-executor.js';
import type { RunEntry, TrainerReport } from '../src/contracts/cluster.js';
import { TrainingJob } from '../src/contracts/jobs.js';

/** A trainer that reports, takes a job, renews its lease and sends events, but trains nothing. */
export class SyntheticTrainer {
  /** The job that it has; null until it has taken one. */
  lease: Lease | null = null;
  readonly #id: string;
  readonly #redis: Redis;
  readonly #worker: Worker;
  readonly #reporting: NodeJS.Timeout;
  #seq = 0;

  constructor(address: string, id: string) {
    this.#id = id;
    this.#redis = new Redis(address, { maxRetriesPerRequest: null });
    this.#redis.on('error', () => {});
    this.#worker = new Worker(QUEUE, ({ data }) => this.#take(TrainingJob.parse(data)), {
      connection: this.#redis,
      lockDuration: LOCK_MS,
      maxStalledCount: 0,
    });
    this.#worker.on('error', () => {});
    this.#reporting = setInterval(() => void this.#report(), TRAINER_TTL_MS / 3);
    void this.#report();
  }

  /** Sends step events at once. @returns the number of the last event */
  async step(count: number): Promise<number> {
    const pipeline = this.#redis.pipeline();
    for (let index = 0; index < count; index++) {
      this.#seq += 1;
      pipeline.xadd(streamOf(this.lease!), '*', 'entry', stepEntry(this.#seq));
    }
    await pipeline.exec();
    return this.#seq;
  }

  async close(): Promise<void> {
    clearInterval(this.#reporting);
    await this.#worker.close(true).catch(() => {});
    this.#redis.disconnect();
  }

  /** Holds the job until the end of the program. */
  async #take(job: TrainingJob): Promise<void> {
    this.lease = job;
    this.#seq = 1;
    await this.#redis.xadd(streamOf(job), '*', 'entry', startedEntry(job.attempt));
    await new Promise(() => {});
  }

  async #report(): Promise<void> {
    const report: TrainerReport = {
      id: this.#id,
      hostname: this.#id,
      ...thisMachine(),
      slots: 1,
      active: this.lease ? [this.lease.experimentId] : [],
      backend: null,
    };
    await this.#redis.set(TRAINER_PREFIX + this.#id, JSON.stringify(report), 'PX', TRAINER_TTL_MS);
  }
}

function startedEntry(attempt: number): string {
  const data = {
    attempt,
    backend: 'native',
    kernels: 'fused',
    threads: 1,
    parameterCount: 1_000_000,
    vocabularySize: 10_000,
    trainTokens: 929_589,
    validTokens: 73_760,
    stepsPerEpoch: 1_327,
    resumedFrom: null,
  };
  return JSON.stringify({ type: 'event', seq: 1, event: { type: 'started', data } } satisfies RunEntry);
}

/** A step event with this number, as long as a real one. */
export function stepEntry(seq: number): string {
  const loss = 4 + 3 / Math.sqrt(seq);
  const data = {
    step: seq,
    epoch: seq / 1_327,
    loss,
    trainPerplexity: Math.exp(loss),
    learningRate: 0.002,
    gradNorm: 1 / Math.sqrt(seq + 1),
    tokensPerSecond: 12_345.67,
    remainingSeconds: 98_765.43 / seq,
  };
  return JSON.stringify({ type: 'event', seq, event: { type: 'step', data } } satisfies RunEntry);
}
