import { fileURLToPath } from 'node:url';
import {
  type BackendReport,
  type FileSource,
  type HostReport,
  type HostSettings,
  TrainingHostMessage,
  type TrainingHostRequest,
  type TrainingJob,
} from '../contracts/jobs.js';
import { appError } from '../errors.js';
import { AUTOMATIC_COMPUTE, type ComputeOptions, hostEnvironment } from './host-environment.js';
import { HostProcess } from './host-process.js';
import { LocalTrainingRun, SERVER_STOPS } from './local-training-run.js';
import type { TrainingExecutor, TrainingRun } from './training-executor.js';

/** After how much patience what is done. */
export interface TrainingHostLimits {
  /** Time between two heartbeats of the host. */
  readonly heartbeatIntervalMs: number;
  /** A host that is silent for longer is killed. */
  readonly hostSilenceMs: number;
  /** The host of a training that sends no event for longer is killed; loading and evaluating are silent. */
  readonly runSilenceMs: number;
  /** The host of a training that does not heed a stop for longer is killed. */
  readonly stopMs: number;
  /** What trainings get to write their checkpoints when the server ends. */
  readonly closeMs: number;
  /** An idle host that holds more is replaced: memory that TensorFlow took is not always given back. */
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
  /** The worker module; a test gives its own. */
  readonly workerFile?: string;
  readonly limits?: Partial<TrainingHostLimits>;
}

type RunMessage = Exclude<TrainingHostMessage, HostReport>;
type TrainingHost = HostProcess<TrainingHostRequest, RunMessage>;

/** What the host gives way by: generation and the API answer while training uses every core. */
const NICENESS = 10;
const MEMORY_KILL_SCORE = 800;
/** Time that an idle host gets to end by itself. */
const SHUT_DOWN_MS = 2_000;

/**
 * Runs trainings in a child process of this one, which is started when it is first needed and again after it died.
 * A death interrupts the trainings it had, nothing else.
 */
export class LocalTrainingExecutor implements TrainingExecutor {
  readonly slots: number;
  readonly #compute: ComputeOptions;
  readonly #settings: HostSettings;
  readonly #limits: TrainingHostLimits;
  readonly #runs = new Map<string, LocalTrainingRun>();
  /** The present one, and those that are being replaced. */
  readonly #hosts = new Set<TrainingHost>();
  #host: TrainingHost | null = null;
  #report: BackendReport | null = null;
  #unusableReason: string | null = null;
  #closing: Promise<void> | null = null;

  constructor({
    slots = 1,
    compute = AUTOMATIC_COMPUTE,
    workerFile = defaultWorkerFile(),
    limits = {},
    files,
  }: LocalTrainingExecutorOptions) {
    this.slots = slots;
    this.#compute = compute;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#settings = {
      workerFile,
      threads: slots,
      tasksPerThread: 1,
      options: files,
      niceness: NICENESS,
      memoryKillScore: MEMORY_KILL_SCORE,
      heartbeatIntervalMs: this.#limits.heartbeatIntervalMs,
    };
  }

  /**
   * Starts the host without waiting for the first training.
   * @throws backend-unavailable, host-died
   */
  warmUp(): Promise<BackendReport> {
    return this.#presentHost().report;
  }

  submit(job: TrainingJob): TrainingRun {
    const { experimentId } = job;
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
      requestStop: (mode) => this.#host?.send({ type: 'stop', experimentId, mode }),
      giveUp: (cause) => this.#host?.kill(cause),
      silenceLimitMs: this.#limits.runSilenceMs,
      stopLimitMs: this.#limits.stopMs,
    });
    if (this.#closing) {
      run.finish({ type: 'interrupted', reason: SERVER_STOPS });
      return run;
    }
    this.#runs.set(experimentId, run);
    this.#presentHost().send({ type: 'train', job });
    return run;
  }

  backendReport(): BackendReport | null {
    return this.#report;
  }

  unusableReason(): string | null {
    return this.#unusableReason;
  }

  processIds(): readonly number[] {
    return [...this.#hosts].map((host) => host.pid).filter((pid) => pid !== undefined);
  }

  residentBytes(): number {
    return [...this.#hosts].reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stopForServer();
    const timer = setTimeout(() => this.#host?.kill('the server ends'), this.#limits.closeMs);
    await Promise.all(runs.map((run) => run.outcome));
    clearTimeout(timer);
    await Promise.all([...this.#hosts].map((host) => host.shutDown({ type: 'shutdown' }, SHUT_DOWN_MS)));
  }

  #presentHost(): TrainingHost {
    this.#host ??= this.#startHost();
    return this.#host;
  }

  #startHost(): TrainingHost {
    const host: TrainingHost = new HostProcess({
      name: 'training',
      settings: this.#settings,
      environment: hostEnvironment(this.#compute),
      schema: TrainingHostMessage,
      silenceLimitMs: this.#limits.hostSilenceMs,
      onMessage: (message: RunMessage) => this.#receive(message),
    });
    this.#hosts.add(host);
    void host.report.then(
      (report) => {
        this.#report = report;
        this.#unusableReason = null;
      },
      (error: Error) => {
        this.#unusableReason = error.message; // each training says it for itself, too
      },
    );
    void host.ended.then(({ reason }) => {
      this.#hosts.delete(host);
      if (this.#host !== host) return; // it was replaced when it was idle
      this.#host = null;
      const runs = [...this.#runs.values()];
      const isKnownWhy = runs.some(({ isToBlame }) => isToBlame);
      for (const run of runs)
        this.#finish(run, {
          type: 'interrupted',
          reason,
          ...(isKnownWhy && !run.isToBlame && { isBystander: true }),
        });
    });
    return host;
  }

  #receive(message: RunMessage): void {
    const run = this.#runs.get(message.experimentId);
    if (!run) return;
    switch (message.type) {
      case 'event':
        run.noteEvent(message.event);
        break;
      case 'finished':
        this.#finish(run, message.outcome);
        this.#replaceHostIfTooBig();
        break;
      default:
        message satisfies never;
    }
  }

  #finish(run: LocalTrainingRun, outcome: Parameters<LocalTrainingRun['finish']>[0]): void {
    this.#runs.delete(run.experimentId);
    run.finish(outcome);
  }

  #replaceHostIfTooBig(): void {
    const host = this.#host;
    if (!host || this.#runs.size > 0 || host.rssBytes < this.#limits.idleRssBytes) return;
    this.#host = null;
    void host.shutDown({ type: 'shutdown' }, SHUT_DOWN_MS);
  }
}

function defaultWorkerFile(): string {
  return fileURLToPath(new URL('../../workers/train.js', import.meta.url));
}
