import type { Lease } from '../compute/training-executor.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { StopMode, TrainingOutcome } from '../contracts/jobs.js';
import { serializeError } from '../errors.js';
import type { Store } from '../store/store.js';
import type { EventLog } from './event-log.js';
import { holdsLease } from './record-run.js';

interface Dependencies {
  readonly store: Store;
  readonly log: EventLog;
}

/** An experiment to requeue, and its number of restarts. */
export interface Restart {
  readonly experiment: ExperimentRecord;
  readonly restarts: number;
}

const SERVER_STOPPED = 'The server was stopped';

/**
 * Records the outcome of a training.
 * @param server.isClosing whether trainings that end now will resume with the next server
 * @returns the experiment if it will be restarted
 */
export function recordOutcome(
  dependencies: Dependencies,
  lease: Lease,
  outcome: TrainingOutcome,
  { isClosing, maxRestarts }: { readonly isClosing: boolean; readonly maxRestarts: number },
): Restart | null {
  const { store, log } = dependencies;
  const { experimentId: id } = lease;
  const experiment = store.experiments.find(id);
  if (!experiment || !holdsLease(experiment, lease)) return null; // it was deleted, or its last event was final
  const isCancelled = experiment.state === 'cancelling' || isStopped(outcome, 'cancel');
  const interrupt = (reason: string, willRestart: boolean): void => {
    log.record(id, { type: 'interrupted', data: { reason, willRestart } });
  };
  switch (outcome.type) {
    case 'succeeded': {
      const error = serializeError(new Error('The training ended without a final event'));
      log.record(id, { type: 'failed', data: { error } });
      return null;
    }
    case 'failed':
      log.record(id, { type: 'failed', data: { error: outcome.error } });
      return null;
    case 'stopped':
      if (isCancelled) end(dependencies, experiment, 'cancelled');
      else if (experiment.state === 'pausing') end(dependencies, experiment, 'paused');
      else if (experiment.pauseAtEpoch !== null && !isClosing) pause(dependencies, experiment);
      else interrupt(SERVER_STOPPED, true);
      return null;
    case 'interrupted': {
      if (isCancelled) end(dependencies, experiment, 'cancelled');
      else if (isClosing) interrupt(SERVER_STOPPED, true);
      else {
        const restart = restartOf(experiment, outcome, maxRestarts);
        interrupt(outcome.reason, restart !== null);
        return restart;
      }
      return null;
    }
    default:
      return outcome satisfies never;
  }
}

/** Completed epochs and steps of an experiment. */
export function progressOf({ metrics }: Store, experiment: number): { epoch: number; step: number } {
  const latest = metrics.latest([experiment]).get(experiment);
  return { epoch: Math.floor(latest?.epoch ?? 0), step: latest?.step ?? 0 };
}

/** The restart of a bystander does not count towards maxRestarts. */
function restartOf(
  experiment: ExperimentRecord,
  { isBystander = false }: Extract<TrainingOutcome, { type: 'interrupted' }>,
  maxRestarts: number,
): Restart | null {
  const { restarts, state } = experiment;
  const mayRestart = isBystander || restarts < maxRestarts;
  if (state === 'pausing' || !mayRestart) return null;
  return { experiment, restarts: isBystander ? restarts : restarts + 1 };
}

function end(
  { store, log }: Dependencies,
  { id, number }: ExperimentRecord,
  type: 'cancelled' | 'paused',
): void {
  log.record(id, { type, data: progressOf(store, number) });
}

/** It has paused at its planned epoch. */
function pause(dependencies: Dependencies, experiment: ExperimentRecord): void {
  const { store, log } = dependencies;
  store.transaction(() => {
    log.record(experiment.id, { type: 'pausing', data: {} });
    end(dependencies, experiment, 'paused');
  });
}

function isStopped(outcome: TrainingOutcome, mode: StopMode): boolean {
  return outcome.type === 'stopped' && outcome.mode === mode;
}
