import type { TrainingExecutor, TrainingRun } from '../compute/training-executor.js';
import { ACTIVE_STATES } from '../contracts/experiment.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import type { EventLog } from './event-log.js';
import { progressOf } from './record-outcome.js';
import type { TrainingScheduler } from './training-scheduler.js';

/**
 * Recovers the experiments of an earlier server process. Trainings that still run on other machines are followed. Of the
 * others, those that were stopping are stopped; those that were training become interrupted, and are requeued if they may restart. The queue
 * keeps its order.
 */
export function recoverExperiments(
  store: Store,
  log: EventLog,
  queue: TrainingScheduler,
  executor: TrainingExecutor,
  { maxRestarts }: { readonly maxRestarts: number },
): void {
  for (const experiment of store.experiments.withState(...ACTIVE_STATES)) {
    const run = executor.attach(
      { experimentId: experiment.id, attempt: experiment.attempt },
      experiment.runSeq,
    );
    if (run) reattach(queue, run, experiment);
    else recover(store, log, experiment, maxRestarts);
  }
  for (const experiment of store.experiments.withState('interrupted')) {
    if (experiment.willRestart)
      queue.enqueue(experiment, { resume: true, restarts: experiment.restarts, keepsPlace: true });
  }
}

function reattach(queue: TrainingScheduler, run: TrainingRun, { id, state }: ExperimentRecord): void {
  queue.attach(run);
  if (state === 'cancelling') queue.stop(id, 'cancel');
  if (state === 'pausing') queue.stop(id, 'pause');
}

function recover(store: Store, log: EventLog, experiment: ExperimentRecord, maxRestarts: number): void {
  const { id, number, state, restarts } = experiment;
  if (state === 'cancelling' || state === 'pausing') {
    // Resuming from the last checkpoint repeats the steps after it exactly, so a paused one loses nothing.
    const type = state === 'cancelling' ? 'cancelled' : 'paused';
    log.record(id, { type, data: progressOf(store, number) });
    return;
  }
  const willRestart = restarts < maxRestarts;
  log.record(
    id,
    { type: 'interrupted', data: { reason: 'The server was terminated', willRestart } },
    willRestart ? { restarts: restarts + 1 } : {},
  );
}
