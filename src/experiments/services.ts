import { rmSync } from 'node:fs';
import type { InferenceExecutor } from '../compute/inference-executor.js';
import type { TrainingExecutor } from '../compute/training-executor.js';
import type { Environment } from '../contracts/environment.js';
import { removeStagedUploads } from '../corpora/staged-upload.js';
import { experimentKey, pathOf, TENSORBOARD, TRANSFERS } from '../files/layout.js';
import type { Store } from '../store/store.js';
import { type Corpora, createCorpora } from './corpora.js';
import { DataFolder } from './data-folder.js';
import { EventBus } from './event-bus.js';
import { createEventLog, type EventLog } from './event-log.js';
import { tidyFolders } from './experiment-folder.js';
import { type Logger, SILENT_LOGGER } from './logger.js';
import { recoverExperiments } from './recover.js';
import { Sessions } from './sessions.js';
import { createSweepLog, type SweepLog } from './sweeps/sweep-log.js';
import { Sweeps } from './sweeps/sweeps.js';
import { TensorBoardWriter } from './tensorboard-writer.js';
import { TrainingScheduler } from './training-scheduler.js';

export interface ServicesOptions {
  readonly environment: Environment;
  readonly trainingExecutor: TrainingExecutor;
  readonly inferenceExecutor: InferenceExecutor;
  readonly logger?: Logger;
}

/** The dependencies of the use cases; created once per process. */
export interface Services {
  readonly environment: Environment;
  readonly folder: DataFolder;
  readonly store: Store;
  readonly bus: EventBus;
  readonly log: EventLog;
  readonly queue: TrainingScheduler;
  readonly corpora: Corpora;
  readonly sessions: Sessions;
  readonly sweepLog: SweepLog;
  readonly sweeps: Sweeps;
  readonly trainingExecutor: TrainingExecutor;
  /** The inference executor, under the name that the use cases of trained models use. */
  readonly executor: InferenceExecutor;
  /** Pauses running trainings, stops the hosts, closes the database. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the data folder, recovers the experiments of an earlier server process, and starts queued trainings.
 * @throws database-newer, database-unusable, write-failed
 */
export function createServices({
  environment,
  trainingExecutor,
  inferenceExecutor,
  logger = SILENT_LOGGER,
}: ServicesOptions): Services {
  const folder = DataFolder.open(environment.dataDir);
  const { store } = folder;
  const bus = new EventBus((error) => logger.error({ err: error }, 'an event listener failed'));
  const tensorBoard =
    environment.tensorboard === 'on'
      ? new TensorBoardWriter((id) => pathOf(folder.path, `${experimentKey(id)}/${TENSORBOARD}`), logger)
      : null;
  const log = createEventLog(store, bus, logger, (event) => tensorBoard?.take(event));
  const queue = new TrainingScheduler({
    store,
    log,
    executor: trainingExecutor,
    environment,
    logger,
    folder,
  });
  rmSync(pathOf(environment.dataDir, TRANSFERS), { recursive: true, force: true });
  tidyFolders(environment.dataDir, store);
  removeStagedUploads(folder.path);
  recoverExperiments(store, log, queue, trainingExecutor, environment);
  const corpora = createCorpora(store, environment, folder);
  const sweepLog = createSweepLog(store, logger);
  const sweeps = new Sweeps({ store, log, bus, queue, environment, folder, corpora, sweepLog, logger });
  sweeps.recover();
  queue.wake();

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    sweeps.close();
    await Promise.all([queue.close(environment.shutdownGraceMs), inferenceExecutor.close()]);
    tensorBoard?.close();
    folder.close();
  }
  return {
    environment,
    folder,
    store,
    bus,
    log,
    queue,
    corpora,
    sweepLog,
    sweeps,
    sessions: new Sessions({ most: environment.maxSessions, ttlMs: environment.sessionTtlMs }),
    trainingExecutor,
    executor: inferenceExecutor,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
