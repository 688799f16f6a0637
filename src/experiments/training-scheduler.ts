import type { Lease, TrainingExecutor, TrainingRun } from '../compute/training-executor.js';
import type { Environment } from '../contracts/environment.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { StopMode, TrainingOutcome } from '../contracts/jobs.js';
import { AppError, serializeError } from '../errors.js';
import { experimentKey, initialKey } from '../files/layout.js';
import type { Store } from '../store/store.js';
import type { DataFolder } from './data-folder.js';
import type { EventLog } from './event-log.js';
import type { Logger } from './logger.js';
import { recordOutcome } from './record-outcome.js';
import { RunRecorder } from './run-recorder.js';

export interface TrainingSchedulerOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly executor: TrainingExecutor;
  readonly environment: Pick<Environment, 'maxRestarts'>;
  readonly logger: Logger;
  /** No training is started while it is missing. */
  readonly folder?: Pick<DataFolder, 'assertPresent'>;
  /** Time between two attempts to store the outcome of a training. */
  readonly retryMs?: number;
}

interface ActiveRun {
  readonly submitted: Promise<TrainingRun>;
  /** Null until the executor has accepted it. */
  run: TrainingRun | null;
  /** Whether not every machine could run it. */
  readonly isDemanding: boolean;
  /** Settles when all events of the run are stored. */
  readonly ended: Promise<void>;
}

const RETRY_MS = 5000;

/** Owns the training slots, fills them from the queue, and records the events of the trainings. */
export class TrainingScheduler {
  readonly #options: TrainingSchedulerOptions;
  readonly #recorder: RunRecorder;
  readonly #active = new Map<string, ActiveRun>();
  #wakeUp: NodeJS.Immediate | undefined;
  #closing = false;
  #stopWaiting: () => void = () => {};

  constructor(options: TrainingSchedulerOptions) {
    this.#options = options;
    this.#recorder = new RunRecorder(options);
    options.executor.onCapacity?.(() => this.wake());
  }

  /** Experiments that occupy a slot. */
  get activeIds(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** Schedules the filling of free slots after the caller has finished. */
  wake(): void {
    if (this.#closing) return;
    this.#wakeUp ??= setImmediate(() => {
      this.#wakeUp = undefined;
      try {
        this.#fillSlots();
      } catch (error) {
        this.#options.logger.error({ err: error }, 'the queue could not be read or written');
        setTimeout(() => this.wake(), this.#options.retryMs ?? RETRY_MS).unref();
      }
    });
  }

  /** Queues an experiment behind all others of its priority, or, after an involuntary stop, in its former place. */
  enqueue(
    experiment: ExperimentRecord,
    how: {
      readonly resume: boolean;
      readonly restarts: number;
      readonly keepsPlace?: boolean;
      /** Epoch after which it pauses automatically; unchanged after an involuntary stop. */
      readonly pauseAtEpoch?: number | null;
      /** A new config. */
      readonly config?: ExperimentConfig;
    },
  ): ExperimentRecord {
    const { store, log } = this.#options;
    const queueOrder = how.keepsPlace ? experiment.queueOrder : store.experiments.lastQueueOrder();
    const position = store.experiments.queuePosition({ ...experiment, queueOrder });
    const queued = log.record(
      experiment.id,
      { type: 'queued', data: { position } },
      {
        queueOrder,
        resume: how.resume,
        restarts: how.restarts,
        config: how.config,
        pauseAtEpoch: how.keepsPlace ? experiment.pauseAtEpoch : (how.pauseAtEpoch ?? null),
      },
    );
    this.wake();
    return queued ?? experiment;
  }

  /** Requests that the training of an experiment stop at its next step. */
  stop(experimentId: string, mode: StopMode): void {
    this.#ask(experimentId, (run) => run.stop(mode));
  }

  /** Kills the training of an experiment; its outcome is recorded when it has ended. */
  kill(experimentId: string): void {
    this.#ask(experimentId, (run) => run.kill());
  }

  /** Follows a training that an earlier server process started. */
  attach(run: TrainingRun): void {
    this.#hold(run, Promise.resolve(run));
  }

  /**
   * Pauses the trainings that end with this server, so that they resume at the next start; waits at most the grace time.
   * Trainings on other machines continue.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#stopWaiting();
    if (this.#wakeUp) clearImmediate(this.#wakeUp);
    const { executor } = this.#options;
    if (!executor.outlivesServer) {
      for (const id of this.#active.keys()) this.stop(id, 'pause');
      await withinTime(graceMs, this.#allEnded());
    }
    await executor.close();
    await this.#allEnded();
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
  }

  #fillSlots(): void {
    const { store, executor } = this.#options;
    while (!this.#closing && this.#active.size < executor.capacity()) {
      const demanding = this.#demanding();
      const next = store.experiments.nextQueued(
        ({ config: { requires } }) => !requires || demanding < executor.capacity(requires),
      );
      if (!next) return;
      this.#options.folder?.assertPresent();
      this.#start(next);
    }
  }

  /** Trainings under way that not every machine could run; each may hold a slot that the next one needs. */
  #demanding(): number {
    return [...this.#active.values()].filter(({ isDemanding }) => isDemanding).length;
  }

  #start({ id, number, attempt: before, config, resume, pauseAtEpoch, parentId }: ExperimentRecord): void {
    const { store, log, executor } = this.#options;
    const attempt = before + 1;
    log.record(id, { type: 'preparing', data: { attempt } }, { runSeq: 0 });
    const run = executor.submit({
      experimentId: id,
      attempt,
      config,
      folder: experimentKey(id),
      resume,
      ...(resume && { storedEpoch: store.metrics.count(number, 'validLoss') }),
      ...(pauseAtEpoch !== null && { pauseAtEpoch }),
      initial: parentId === null ? null : initialKey(id),
    });
    this.#hold({ experimentId: id, attempt }, run);
  }

  #ask(experimentId: string, ask: (run: TrainingRun) => void): void {
    const active = this.#active.get(experimentId);
    if (active?.run) ask(active.run);
    else active?.submitted.then(ask, () => {}); // a run that was not accepted has nothing to stop
  }

  #hold(lease: Lease, submitted: Promise<TrainingRun>): void {
    const { experimentId } = lease;
    const isDemanding = this.#options.store.experiments.find(experimentId)?.config.requires !== undefined;
    this.#active.set(experimentId, {
      submitted,
      run: null,
      isDemanding,
      ended: this.#follow(lease, submitted),
    });
  }

  async #follow(lease: Lease, submitted: Promise<TrainingRun>): Promise<void> {
    const outcome = await submitted.then(
      (run) => {
        this.#active.get(lease.experimentId)!.run = run;
        return this.#listen(run);
      },
      (error): TrainingOutcome => ({ type: 'interrupted', reason: serializeError(error).message }),
    );
    const goesOn = this.#closing && this.#options.executor.outlivesServer;
    if (!goesOn) await this.#settleWhenPossible(lease, outcome);
    this.#active.delete(lease.experimentId);
    this.wake();
  }

  /** Stores the events of a training until its end. If that fails, the training is stopped with a checkpoint. */
  async #listen(run: TrainingRun): Promise<TrainingOutcome> {
    const { logger } = this.#options;
    try {
      for await (const events of run.events) await this.#recorder.record(run, events);
      return await run.outcome;
    } catch (error) {
      logger.error(
        { err: error, experimentId: run.experimentId },
        'the events of a training could not be stored',
      );
      run.stop('pause');
      await run.outcome;
      return { type: 'interrupted', reason: unstoredReason(error) };
    }
  }

  /** An experiment whose outcome cannot be stored (full disk) keeps its slot until it can, so that its state stays correct. */
  async #settleWhenPossible(lease: Lease, outcome: TrainingOutcome): Promise<void> {
    const { logger } = this.#options;
    const { experimentId } = lease;
    for (;;) {
      try {
        const { store, log, environment } = this.#options;
        const restart = recordOutcome({ store, log }, lease, outcome, {
          isClosing: this.#closing,
          maxRestarts: environment.maxRestarts,
        });
        if (restart)
          this.enqueue(restart.experiment, { resume: true, restarts: restart.restarts, keepsPlace: true });
        return;
      } catch (error) {
        logger.error({ err: error, experimentId }, 'the outcome of a training could not be stored');
        if (!(error instanceof AppError) || error.kind !== 'unavailable') return;
      }
      if (this.#closing) return; // the next server recovers it from its stored state
      await this.#pauseBeforeRetry();
    }
  }

  /** Ends early if the server stops. */
  #pauseBeforeRetry(): Promise<void> {
    return new Promise((resume) => {
      const timer = setTimeout(resume, this.#options.retryMs ?? RETRY_MS);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resume();
      };
    });
  }
}

function unstoredReason(error: unknown): string {
  return `Its events could not be stored: ${serializeError(error).message}`;
}

async function withinTime(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
