import { fileURLToPath } from 'node:url';
import {
  type BackendReport,
  type FileSource,
  type HostReport,
  TrainingHostMessage,
  type TrainingHostRequest,
  type TrainingJob,
  type TrainingOutcome,
} from '../contracts/jobs.js';
import { type MachineRequirements, meets } from '../contracts/machine.js';
import { appError } from '../errors.js';
import { AUTOMATIC_COMPUTE, type ComputeOptions } from './host-environment.js';
import type { HostStats } from './host-stats.js';
import { LocalTrainingRun, SERVER_STOPS } from './local-training-run.js';
import { SupervisedHost } from './supervised-host.js';
import { thisMachine } from './this-machine.js';
import type { TrainingExecutor, TrainingRun } from './training-executor.js';

/** Time and memory limits of the training host. */
export interface TrainingHostLimits {
  /** Time between two heartbeats of the host. */
  readonly heartbeatIntervalMs: number;
  /** A host without a heartbeat for longer is killed. */
  readonly hostSilenceMs: number;
  /** The host of a training that sends no event for longer is killed; loading and evaluating send none. */
  readonly runSilenceMs: number;
  /** The host of a training that does not stop for longer is killed. */
  readonly stopMs: number;
  /** Time that trainings have to write their checkpoints when the server stops. */
  readonly closeMs: number;
  /** An idle host that uses more memory is replaced: TensorFlow does not always release memory. */
  readonly idleRssBytes: number;
}

const DEFAULT_LIMITS: TrainingHostLimits = {
  heartbeatIntervalMs: 5_000,
  hostSilenceMs: 60_000,
  runSilenceMs: 3_600_000,
  stopMs: 300_000,
  closeMs: 8_000,
  idleRssBytes: 2 * 1024 ** 3,
};

export interface LocalTrainingExecutorOptions {
  readonly files: FileSource;
  readonly slots?: number;
  readonly compute?: ComputeOptions;
  /** The worker module; tests replace it. */
  readonly workerFile?: string;
  readonly limits?: Partial<TrainingHostLimits>;
}

type Message = Exclude<TrainingHostMessage, HostReport>;
type Host = SupervisedHost<TrainingHostRequest, Message>;

/** Niceness of the host: generation and the API stay responsive while training uses every core. */
const NICENESS = 10;
const MEMORY_KILL_SCORE = 800;

/**
 * Runs trainings in a child process, which is started when it is first needed and restarted after it died.
 * A crash interrupts only its trainings.
 */
export class LocalTrainingExecutor implements TrainingExecutor {
  readonly #slots: number;
  readonly #machine = thisMachine();
  readonly #limits: TrainingHostLimits;
  readonly #runs = new Map<string, LocalTrainingRun>();
  readonly #host: Host;
  #closing: Promise<void> | null = null;

  constructor({
    slots = 1,
    compute = AUTOMATIC_COMPUTE,
    workerFile = defaultWorkerFile(),
    limits = {},
    files,
  }: LocalTrainingExecutorOptions) {
    this.#slots = slots;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#host = new SupervisedHost<TrainingHostRequest, Message>(
      {
        name: 'training',
        compute,
        settings: {
          workerFile,
          threads: slots,
          tasksPerThread: 1,
          options: files,
          niceness: NICENESS,
          memoryKillScore: MEMORY_KILL_SCORE,
          heartbeatIntervalMs: this.#limits.heartbeatIntervalMs,
        },
        schema: TrainingHostMessage,
        silenceLimitMs: this.#limits.hostSilenceMs,
        onMessage: (message) => this.#receive(message),
        onEnd: ({ reason }) => this.#interruptAll(reason),
      },
      { type: 'shutdown' },
    );
  }

  /**
   * Starts the host without waiting for the first training.
   * @throws backend-unavailable, host-died
   */
  warmUp(): Promise<BackendReport> {
    return this.#host.warmUp();
  }

  capacity(required?: MachineRequirements): number {
    return meets(this.#machine, required) ? this.#slots : 0;
  }

  async submit(job: TrainingJob): Promise<TrainingRun> {
    const { experimentId, attempt } = job;
    if (this.#runs.has(experimentId)) {
      throw appError('state-conflict', {
        experiment: experimentId,
        state: 'running',
        verb: 'start',
        allowed: 'ended',
      });
    }
    const run = new LocalTrainingRun({
      experimentId,
      attempt,
      requestStop: (mode) => this.#host.tell({ type: 'stop', experimentId, mode }),
      giveUp: (cause) => this.#host.kill(cause),
      silenceLimitMs: this.#limits.runSilenceMs,
      stopLimitMs: this.#limits.stopMs,
    });
    if (this.#closing) {
      run.finish({ type: 'interrupted', reason: SERVER_STOPS });
      return run;
    }
    this.#runs.set(experimentId, run);
    this.#host.request({ type: 'train', job });
    return run;
  }

  /** Always null: a host exits with its server. */
  attach(): null {
    return null;
  }

  backendReport(): BackendReport | null {
    return this.#host.report;
  }

  unusableReason(): string | null {
    return this.#host.unusableReason;
  }

  hostStats(): HostStats {
    return this.#host.stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stopForServer();
    const timer = setTimeout(() => this.#host.kill('the server is stopping'), this.#limits.closeMs);
    await Promise.all(runs.map((run) => run.outcome));
    clearTimeout(timer);
    await this.#host.shutDown();
  }

  #interruptAll(reason: string): void {
    const runs = [...this.#runs.values()];
    const isKnownWhy = runs.some(({ isToBlame }) => isToBlame);
    for (const run of runs)
      this.#finish(run, {
        type: 'interrupted',
        reason,
        ...(isKnownWhy && !run.isToBlame && { isBystander: true }),
      });
  }

  #receive(message: Message): void {
    const run = this.#runs.get(message.experimentId);
    if (!run) return;
    switch (message.type) {
      case 'event':
        run.noteEvent(message.event);
        break;
      case 'finished':
        this.#finish(run, message.outcome);
        if (this.#runs.size === 0 && this.#host.rssBytes >= this.#limits.idleRssBytes) this.#host.replace();
        break;
      default:
        message satisfies never;
    }
  }

  #finish(run: LocalTrainingRun, outcome: TrainingOutcome): void {
    this.#runs.delete(run.experimentId);
    run.finish(outcome);
  }
}

function defaultWorkerFile(): string {
  return fileURLToPath(new URL('../../workers/train.js', import.meta.url));
}
