import type { Experiment } from '../contracts/experiment.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
import type { ContinueBody } from '../contracts/http.js';
import { TrainingConfig } from '../contracts/training.js';
import { parseStrictly } from '../contracts/validation.js';
import { appError } from '../errors.js';
import type { Store } from '../store/store.js';
import { hasSnapshot } from './copy-checkpoint.js';
import type { EventBus } from './event-bus.js';
import type { EventLog } from './event-log.js';
import { deleteFolder } from './experiment-folder.js';
import { viewExperiment } from './experiment-view.js';
import { findExperiment } from './find-experiment.js';
import { progressOf } from './record-outcome.js';
import type { TrainingScheduler } from './training-scheduler.js';
import { isActive, isNeeded, stateConflict } from './transitions.js';

export interface ControlDependencies {
  readonly store: Store;
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly queue: TrainingScheduler;
}

/**
 * Cancels an experiment; its best weights so far stay usable. Idempotent.
 * @throws experiment-not-found, state-conflict
 */
export function cancelExperiment(dependencies: ControlDependencies, id: string): Experiment {
  return stopExperiment(dependencies, id, 'cancel');
}

/**
 * Stops an experiment immediately, even if it does not respond to a cancel, without a final checkpoint. Saved weights stay usable.
 * Other trainings in the same host continue from their last checkpoint. Idempotent.
 * @throws experiment-not-found, state-conflict
 */
export function killExperiment(dependencies: ControlDependencies, id: string): Experiment {
  const { store, log, queue } = dependencies;
  const experiment = findExperiment(store, id);
  if (!isNeeded('kill', experiment)) return viewExperiment(store, experiment);
  if (!isActive(experiment.state)) return stopExperiment(dependencies, id, 'cancel');
  const asked = experiment.state === 'cancelling' ? experiment : log.record(id, STOPS.cancel.asked);
  queue.kill(id);
  return viewExperiment(store, asked ?? experiment);
}

/**
 * Pauses an experiment: it writes a checkpoint at its next step and frees its slot. Idempotent.
 * @throws experiment-not-found, state-conflict
 */
export function pauseExperiment(dependencies: ControlDependencies, id: string): Experiment {
  return stopExperiment(dependencies, id, 'pause');
}

/**
 * Requeues a paused or interrupted experiment; it continues from its latest checkpoint.
 * @param pauseAtEpoch epoch after which it pauses automatically
 * @throws experiment-not-found, state-conflict
 */
export function resumeExperiment(
  { store, queue }: ControlDependencies,
  id: string,
  { pauseAtEpoch = null }: { readonly pauseAtEpoch?: number | null } = {},
): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded('resume', experiment)) return viewExperiment(store, experiment);
  return viewExperiment(store, queue.enqueue(experiment, { resume: true, restarts: 0, pauseAtEpoch }));
}

/**
 * Requeues a failed, cancelled or interrupted experiment; it continues from its latest
 * checkpoint, or starts over if it has none.
 * @throws experiment-not-found, state-conflict
 */
export function retryExperiment({ store, queue }: ControlDependencies, id: string): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded('retry', experiment)) return viewExperiment(store, experiment);
  return viewExperiment(store, queue.enqueue(experiment, { resume: true, restarts: 0 }));
}

/**
 * Trains a succeeded experiment for more epochs, from its last state. Early stopping and limits of time and steps no
 * longer apply. Repeating the request while it trains changes nothing.
 * @throws experiment-not-found, state-conflict, checkpoint-not-found, validation-failed
 */
export function continueExperiment(
  { store, queue }: ControlDependencies,
  dataDirectory: string,
  id: string,
  { epochs, learningRate, schedule }: ContinueBody,
): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded('continue', experiment)) {
    if (experiment.digest === null) throw stateConflict('continue', experiment); // it has never succeeded
    return viewExperiment(store, experiment);
  }
  if (!hasSnapshot(dataDirectory, id))
    throw appError('checkpoint-not-found', { checkpoint: 'to continue from', experiment: id });
  const { config } = experiment;
  const training = parseStrictly(
    TrainingConfig,
    {
      ...config.training,
      epochs: progressOf(store, experiment.number).epoch + epochs,
      earlyStopping: null,
      maxDuration: null,
      timeBudget: null,
      maxSteps: null,
      firstPlannedSteps: null,
    },
    'The longer training',
  );
  const longer = {
    ...config,
    training,
    optimizer: { ...config.optimizer, ...(learningRate !== undefined && { learningRate }) },
    ...(schedule && { schedule }),
  };
  return viewExperiment(store, queue.enqueue(experiment, { resume: true, restarts: 0, config: longer }));
}

/**
 * Changes name, tags, notes or priority of an experiment.
 * @throws experiment-not-found
 */
export function editExperiment(
  store: Store,
  id: string,
  patch: Pick<ExperimentPatch, 'name' | 'tags' | 'notes' | 'priority'>,
): Experiment {
  const { number } = findExperiment(store, id);
  store.experiments.update(number, patch);
  return viewExperiment(store, findExperiment(store, id));
}

/**
 * Deletes an experiment with its events, metrics and files.
 * @throws experiment-not-found, state-conflict while it trains
 */
export async function deleteExperiment(
  { store, bus }: ControlDependencies,
  dataDirectory: string,
  id: string,
): Promise<void> {
  const experiment = findExperiment(store, id);
  isNeeded('delete', experiment);
  await deleteFolder(dataDirectory, id, () => {
    store.experiments.delete(experiment.number);
    bus.end(id);
  });
}

const STOPS = {
  cancel: { asked: { type: 'cancelling', data: {} }, done: 'cancelled' },
  pause: { asked: { type: 'pausing', data: {} }, done: 'paused' },
} as const;

function stopExperiment(
  { store, log, queue }: ControlDependencies,
  id: string,
  verb: 'cancel' | 'pause',
): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded(verb, experiment)) return viewExperiment(store, experiment);
  const { asked, done } = STOPS[verb];
  let after: ExperimentRecord | undefined;
  if (isActive(experiment.state)) {
    after = log.record(id, asked);
    queue.stop(id, verb);
  } else {
    const data = progressOf(store, experiment.number);
    after = log.record(
      id,
      { type: done, data },
      { willRestart: false, ...(verb === 'pause' && { resume: true }) },
    );
  }
  return viewExperiment(store, after ?? experiment);
}
