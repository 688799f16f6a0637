import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { TrainerReport } from '../../contracts/cluster.js';
import type { BackendReport, TrainingJob } from '../../contracts/jobs.js';
import { type MachineRequirements, meets } from '../../contracts/machine.js';
import type { ClusterStats } from '../cluster-stats.js';
import type { Lease, TrainingExecutor, TrainingRun } from '../training-executor.js';
import type { Exchange } from './exchange.js';
import { jobIdOf, QUEUE, TRAINER_PREFIX } from './queue-names.js';
import { QueueTrainingRun } from './queue-training-run.js';
import { connectRedis } from './redis-connection.js';
import { StreamReader } from './stream-reader.js';

export interface QueueTrainingExecutorOptions {
  /** redis://… or rediss://… */
  readonly address: string;
  readonly onError: (error: unknown) => void;
  /** Through which files travel; default: over HTTP. */
  readonly exchange?: Exchange;
  /** Time between two checks for trainers. */
  readonly watchMs?: number;
}

const WATCH_MS = 1_000;
/** Finished jobs are kept for a while, for diagnosis. */
const KEPT = { age: 24 * 3600, count: 1000 };

/** Runs trainings on other machines through Redis. They continue while the server is down. */
export class QueueTrainingExecutor implements TrainingExecutor {
  readonly outlivesServer = true;
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #reader: StreamReader;
  readonly #options: QueueTrainingExecutorOptions;
  readonly #runs = new Set<QueueTrainingRun>();
  readonly #watch: NodeJS.Timeout;
  #trainers: readonly TrainerReport[] = [];
  #onCapacity: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: QueueTrainingExecutorOptions) {
    this.#options = options;
    this.#redis = connectRedis(options.address, options.onError);
    this.#queue = new Queue(QUEUE, {
      connection: this.#redis,
      defaultJobOptions: { removeOnComplete: KEPT, removeOnFail: KEPT },
    });
    this.#reader = new StreamReader(this.#redis, options.onError);
    this.#queue.on('error', options.onError);
    this.#watch = setInterval(() => void this.#lookForTrainers(), options.watchMs ?? WATCH_MS);
    void this.#lookForTrainers();
  }

  clusterStats(): ClusterStats {
    const lags = [...this.#runs].map(({ lagMs }) => lagMs);
    return { trainers: this.#trainers, leases: this.#runs.size, lagMs: Math.max(0, ...lags) };
  }

  capacity(required?: MachineRequirements): number {
    return this.#trainers
      .filter((trainer) => meets(trainer, required))
      .reduce((sum, { slots }) => sum + slots, 0);
  }

  onCapacity(listener: () => void): void {
    this.#onCapacity = listener;
  }

  async submit(job: TrainingJob): Promise<TrainingRun> {
    const { exchange } = this.#options;
    await exchange?.offer(job);
    const queued: TrainingJob = exchange ? { ...job, exchange: true } : job;
    await this.#queue.add('train', queued, { jobId: jobIdOf(job) });
    return this.#follow(job, 0);
  }

  attach(lease: Lease, since: number): TrainingRun {
    return this.#follow(lease, since);
  }

  backendReport(): BackendReport | null {
    return this.#trainers.find(({ backend }) => backend)?.backend ?? null;
  }

  unusableReason(): string | null {
    return null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #follow(lease: Lease, since: number): QueueTrainingRun {
    const run = new QueueTrainingRun(lease, since, {
      queue: this.#queue,
      redis: this.#redis,
      reader: this.#reader,
      exchange: this.#options.exchange ?? null,
      watchMs: this.#options.watchMs ?? WATCH_MS,
      onError: this.#options.onError,
    });
    this.#runs.add(run);
    void run.outcome.then(() => this.#runs.delete(run));
    return run;
  }

  async #lookForTrainers(): Promise<void> {
    try {
      const keys = await this.#redis.keys(`${TRAINER_PREFIX}*`);
      const reports = keys.length > 0 ? await this.#redis.mget(keys) : [];
      const before = this.#presence();
      this.#trainers = reports.flatMap((json) => {
        const report = TrainerReport.safeParse(JSON.parse(json ?? 'null'));
        return report.success ? [report.data] : [];
      });
      if (this.#presence() !== before) this.#onCapacity();
    } catch (error) {
      if (!this.#closing) this.#options.onError(error);
    }
  }

  /** Who is there, with how many slots. */
  #presence(): string {
    return this.#trainers
      .map(({ id, slots }) => `${id} ${slots}`)
      .sort()
      .join();
  }

  async #close(): Promise<void> {
    clearInterval(this.#watch);
    this.#options.exchange?.close();
    for (const run of this.#runs) run.detach();
    await this.#queue.close().catch(() => {});
    this.#redis.disconnect();
  }
}
