import type { SweepRecord, TrialRecord } from '../../contracts/sweep-record.js';
import { AppError, serializeError } from '../../errors.js';
import type { ScheduledTrial, SweepSchedule } from '../../sweeps/sweep-schedule.js';
import { trialExperiment } from '../../sweeps/trial-config.js';
import { storeExperiment } from '../create-experiment.js';
import { pauseAtRung } from './pause-at-rung.js';
import type { SweepDependencies } from './sweep-dependencies.js';
import { trialName } from './trial-name.js';
import { bestTrial, viewTrials } from './view-trials.js';

/**
 * Stores the new decisions of the schedule: rungs, promotions, new trials with their experiments.
 * @returns whether a new trial has no experiment: then the schedule has more to decide
 * @throws queue-full
 */
export function recordTrials(
  dependencies: SweepDependencies,
  sweep: SweepRecord,
  schedule: SweepSchedule,
): boolean {
  const { store } = dependencies;
  const stored = store.sweeps.trials(sweep.number);
  let hasInvalid = false;
  for (const scheduled of schedule.trials) {
    const known = stored[scheduled.index];
    if (!known) {
      const isValid = store.transaction(() => addTrial(dependencies, sweep, scheduled));
      hasInvalid ||= !isValid;
    } else if (known.phase !== scheduled.phase || known.toEpoch !== scheduled.toEpoch) {
      store.transaction(() => recordChange(dependencies, sweep, known, scheduled));
    }
  }
  recordBest(dependencies, sweep);
  return hasInvalid;
}

/** @returns whether the trial has experiments */
function addTrial(
  { store, sweepLog, ...dependencies }: SweepDependencies,
  sweep: SweepRecord,
  { index: trial, point, phase, toEpoch }: ScheduledTrial,
): boolean {
  const { id, number, name, input } = sweep;
  const experiments = trialInputs(input, point);
  const error = Array.isArray(experiments) ? null : experiments;
  store.sweeps.addTrial(number, { trial, point, phase, toEpoch, error });
  const experimentIds = (Array.isArray(experiments) ? experiments : []).map((experiment, repetition) => {
    const seed = input.seedsPerPoint > 1 ? experiment.training.seed : null;
    const named = {
      ...experiment,
      name: trialName(name, trial, point, seed),
      tags: [...input.tags, sweepTag(id)],
    };
    const { experiment: made } = storeExperiment({ store, ...dependencies }, named, {
      pauseAtEpoch: pauseAtRung(sweep, toEpoch),
    });
    store.sweeps.addRun(number, { trial, repetition, experimentId: made.id });
    return made.id;
  });
  sweepLog.record(id, { type: 'trial', data: { trial, point, experimentIds, toEpoch, error } });
  return error === null;
}

/** The tag of all experiments of a sweep. */
export function sweepTag(sweepId: string): string {
  return `sweep:${sweepId}`;
}

/** The experiments of a point, one per seed; or why there are none. */
function trialInputs(input: SweepRecord['input'], point: ScheduledTrial['point']) {
  try {
    return Array.from({ length: input.seedsPerPoint }, (_, repetition) =>
      trialExperiment(input, point, repetition),
    );
  } catch (error) {
    if (!(error instanceof AppError) || error.kind !== 'invalid') throw error;
    return serializeError(error);
  }
}

function recordChange(
  { store, sweepLog }: SweepDependencies,
  sweep: SweepRecord,
  known: TrialRecord,
  { index: trial, phase, toEpoch }: ScheduledTrial,
): void {
  store.sweeps.updateTrial(sweep.number, { trial, phase, toEpoch });
  const { value, epochs } = viewTrials(store, sweep)[trial]!;
  const waits = sweep.input.stopping.type === 'asha'; // at each rung, if only for a moment
  if (known.phase === 'running') {
    const epoch = Math.min(epochs, known.toEpoch);
    const reached = waits && phase === 'running' ? 'waiting' : phase;
    sweepLog.record(sweep.id, { type: 'rung', data: { trial, epoch, value, phase: reached } });
  }
  if (waits && phase === 'running') sweepLog.record(sweep.id, { type: 'promoted', data: { trial, toEpoch } });
}

function recordBest(
  { store, sweepLog }: SweepDependencies,
  { id, bestTrial: known, bestValue }: SweepRecord,
) {
  const sweep = store.sweeps.find(id);
  const best = sweep && bestTrial(viewTrials(store, sweep));
  if (!best || (best.trial === known && best.value === bestValue)) return;
  const { trial, value, point } = best;
  const patch = { bestTrial: trial, bestValue: value };
  sweepLog.record(id, { type: 'best', data: { trial, value, point } }, patch);
}
