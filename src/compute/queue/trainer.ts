import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type RunEntry, RunRequest, type TrainerReport } from '../../contracts/cluster.js';
import { TrainingJob, type TrainingOutcome } from '../../contracts/jobs.js';
import { type Machine, meets } from '../../contracts/machine.js';
import { appError, serializeError } from '../../errors.js';
import type { ArtifactStore } from '../../files/artifact-store.js';
import { FolderArtifactStore } from '../../files/folder-artifact-store.js';
import { HttpArtifactStore } from '../../files/http-artifact-store.js';
import { LeaseArtifactStore } from '../../files/lease-artifact-store.js';
import type { ComputeOptions } from '../host-environment.js';
import { LocalTrainingExecutor } from '../local-training-executor.js';
import { thisMachine } from '../this-machine.js';
import type { Lease, TrainingRun } from '../training-executor.js';
import {
  jobIdOf,
  LOCK_MS,
  QUEUE,
  RUN_TTL_SECONDS,
  requestsOf,
  streamOf,
  TRAINER_PREFIX,
  TRAINER_TTL_MS,
} from './queue-names.js';
import { connectRedis } from './redis-connection.js';
import { copyInputs, LEASE_RECORD, sendFiles } from './trainer-files.js';

export interface TrainerOptions {
  /** URL of Redis. */
  readonly queue: string;
  /** URL of the server; null = files travel only through the exchange. */
  readonly server: string | null;
  /** The exchange of the server; null = files travel over HTTP. */
  readonly exchange: ArtifactStore | null;
  /** API key with the scope `trainer`; null if the server needs none. */
  readonly key: string | null;
  readonly slots: number;
  /** Of this machine, beside those that are found. */
  readonly labels: readonly string[];
  readonly dataDirectory: string;
  readonly mirror: string | null;
  readonly compute: ComputeOptions;
  readonly log: (message: string) => void;
}

const REPORT_MS = TRAINER_TTL_MS / 3;
const REQUESTS_MS = 250;
/** Time that others have to take a training that this machine cannot run. */
const LEAVE_TO_OTHERS_MS = 1_000;

/** Takes trainings from the queue and runs them on this machine, until it is drained. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #machine: Machine;
  readonly #id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly #redis: Redis;
  readonly #executor: LocalTrainingExecutor;
  readonly #local: FolderArtifactStore;
  readonly #runs = new Map<string, TrainingRun>();
  #worker: Worker | null = null;
  #reporting: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(options: TrainerOptions) {
    const { queue, slots, compute, dataDirectory, mirror, log } = options;
    this.#options = options;
    this.#machine = thisMachine(options.labels);
    this.#redis = connectRedis(queue, (error) => log(`Redis: ${error.message}`));
    this.#executor = new LocalTrainingExecutor({ slots, compute, files: { dataDirectory, mirror } });
    this.#local = new FolderArtifactStore(dataDirectory);
  }

  /** Loads TensorFlow, then takes trainings. @throws backend-unavailable, host-died */
  async start(): Promise<void> {
    const { slots, log } = this.#options;
    await this.#executor.warmUp();
    this.#worker = new Worker(QUEUE, (job, token) => this.#take(job, token), {
      connection: this.#redis,
      concurrency: slots,
      lockDuration: LOCK_MS,
      maxStalledCount: 0, // the server gives a new lease instead
    });
    this.#worker.on('error', (error) => log(error.message));
    this.#worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.#runs.get(id)?.kill();
    });
    await this.#report();
    this.#reporting = setInterval(() => void this.#report().catch(() => {}), REPORT_MS);
    log(`trainer ${this.#id} runs up to ${slots} training${slots === 1 ? '' : 's'} in parallel`);
    log(`labels: ${this.#machine.labels.join(' ')}`);
  }

  /** Takes no more jobs; running trainings write a checkpoint and return to the queue. */
  async drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    clearInterval(this.#reporting);
    await this.#redis.del(TRAINER_PREFIX + this.#id).catch(() => {});
    for (const run of this.#runs.values()) run.stop('pause');
    await this.#worker?.close();
    await this.#executor.close();
    this.#redis.disconnect();
  }

  async #report(): Promise<void> {
    const report: TrainerReport = {
      id: this.#id,
      hostname: hostname(),
      ...this.#machine,
      slots: this.#options.slots,
      active: [...this.#runs.values()].map(({ experimentId }) => experimentId),
      backend: this.#executor.backendReport(),
    };
    await this.#redis.set(TRAINER_PREFIX + this.#id, JSON.stringify(report), 'PX', TRAINER_TTL_MS);
  }

  /** A training that needs another machine goes back to the queue for a while. */
  async #take(queued: Job, token?: string): Promise<void> {
    const job = TrainingJob.parse(queued.data);
    if (meets(this.#machine, job.config.requires)) return this.#train(job);
    await queued.moveToDelayed(Date.now() + LEAVE_TO_OTHERS_MS, token);
    throw new DelayedError();
  }

  /** One lease, from its job to its outcome. */
  async #train(job: TrainingJob): Promise<void> {
    const { log } = this.#options;
    log(`takes ${job.experimentId}, attempt ${job.attempt}`);
    let outcome: TrainingOutcome;
    try {
      outcome = await this.#run(job);
    } catch (error) {
      log(`released ${job.experimentId}: ${(error as Error).message}`);
      if (serializeError(error).code === 'lease-lost') return; // another attempt holds it
      outcome = { type: 'interrupted', reason: serializeError(error).message };
    }
    await this.#publish(job, { type: 'outcome', outcome });
    log(`ends ${job.experimentId}: ${outcome.type}`);
  }

  async #run(job: TrainingJob): Promise<TrainingOutcome> {
    const server = this.#filesOf(job);
    if (job.exchange && !(await server.stat(LEASE_RECORD)))
      return { type: 'interrupted', reason: `the exchange has no inputs of it; is it that of the server?` };
    await copyInputs(job, server, this.#local);
    const run = await this.#executor.submit(job);
    const id = jobIdOf(job);
    this.#runs.set(id, run);
    const stopListening = this.#listen(run);
    try {
      if (this.#isDraining) run.stop('pause');
      for await (const events of run.events)
        for (const { seq, event } of events) {
          await sendFiles(job, event, this.#local, server);
          await this.#publish(job, { type: 'event', seq, event });
        }
      const outcome = await run.outcome;
      if (this.#isDraining && outcome.type === 'stopped' && outcome.mode === 'pause')
        return { type: 'interrupted', reason: 'its trainer is draining', isBystander: true };
      return outcome;
    } catch (error) {
      run.kill();
      await run.outcome;
      throw error;
    } finally {
      stopListening();
      this.#runs.delete(id);
      await this.#local.delete(job.folder);
    }
  }

  /** @throws bad-request when the server exchanges files in another way */
  #filesOf(job: TrainingJob): ArtifactStore {
    const { server: address, key, exchange } = this.#options;
    const { experimentId, attempt } = job;
    const lease = { experimentId, attempt };
    if (job.exchange && exchange) return new LeaseArtifactStore(exchange, lease);
    if (!job.exchange && address !== null) return new HttpArtifactStore({ address, key, lease });
    const reason = job.exchange
      ? 'the server has a GATELM_EXCHANGE, and its trainer has none'
      : 'the server has no GATELM_EXCHANGE, and its trainer has no --server';
    throw appError('bad-request', { reason });
  }

  /** Forwards the requests of the server to a run. @returns a function that stops it */
  #listen(run: TrainingRun): () => void {
    let heard = 0;
    const listen = async () => {
      const requests = await this.#redis.lrange(requestsOf(run), heard, -1);
      heard += requests.length;
      for (const request of requests.map((each) => RunRequest.parse(each)))
        request === 'kill' ? run.kill() : run.stop(request);
    };
    const timer = setInterval(() => void listen().catch(() => {}), REQUESTS_MS);
    return () => clearInterval(timer);
  }

  async #publish(lease: Lease, entry: RunEntry): Promise<void> {
    const stream = streamOf(lease);
    await this.#redis.xadd(stream, '*', 'entry', JSON.stringify(entry));
    if (entry.type === 'outcome') await this.#redis.expire(stream, RUN_TTL_SECONDS);
  }
}
