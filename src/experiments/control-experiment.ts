import type { Experiment } from '../contracts/experiment.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
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
 * Ends an experiment for good; what it learned so far stays usable. Asking twice is asking once.
 * @throws experiment-not-found, state-conflict
 */
export function cancelExperiment(dependencies: ControlDependencies, id: string): Experiment {
  return stopExperiment(dependencies, id, 'cancel');
}

/**
 * Ends an experiment now, even where it does not heed a cancel: without a last checkpoint. What it had saved stays usable.
 * Others that train in the same host go on from their last checkpoint. Asking twice is asking once.
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
 * Lets an experiment rest: it writes a checkpoint at its next step and frees its slot. Asking twice is asking once.
 * @throws experiment-not-found, state-conflict
 */
export function pauseExperiment(dependencies: ControlDependencies, id: string): Experiment {
  return stopExperiment(dependencies, id, 'pause');
}

/**
 * Puts a paused or interrupted experiment back into the queue; it goes on from its latest checkpoint.
 * @param pauseAtEpoch epochs after which it pauses by itself
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
 * Puts an experiment that failed, was cancelled or was interrupted back into the queue; it goes on from its latest
 * checkpoint, and begins anew when it has none.
 * @throws experiment-not-found, state-conflict
 */
export function retryExperiment({ store, queue }: ControlDependencies, id: string): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded('retry', experiment)) return viewExperiment(store, experiment);
  return viewExperiment(store, queue.enqueue(experiment, { resume: true, restarts: 0 }));
}

/**
 * Trains an experiment that succeeded for more epochs, from where it ended. What ended it early, if anything did, no
 * longer holds: neither the patience nor the longest time. Asking again while it goes on changes nothing.
 * @param epochs beyond those that it has done
 * @throws experiment-not-found, state-conflict, checkpoint-not-found, validation-failed
 */
export function continueExperiment(
  { store, queue }: ControlDependencies,
  dataDirectory: string,
  id: string,
  { epochs }: { readonly epochs: number },
): Experiment {
  const experiment = findExperiment(store, id);
  if (!isNeeded('continue', experiment)) {
    if (experiment.digest === null) throw stateConflict('continue', experiment); // it has never succeeded
    return viewExperiment(store, experiment);
  }
  if (!hasSnapshot(dataDirectory, id))
    throw appError('checkpoint-not-found', { checkpoint: 'to go on from', experiment: id });
  const { config } = experiment;
  const training = parseStrictly(
    TrainingConfig,
    {
      ...config.training,
      epochs: progressOf(store, experiment.number).epoch + epochs,
      earlyStopping: null,
      maxDuration: null,
    },
    'The longer training',
  );
  const longer = { ...config, training };
  return viewExperiment(store, queue.enqueue(experiment, { resume: true, restarts: 0, config: longer }));
}

/**
 * Changes what an experiment is remembered by.
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
