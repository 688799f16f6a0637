import type { RunRecord, SweepRecord, TrialRecord } from '../../contracts/sweep-record.js';
import type { SweepTrial } from '../../contracts/sweep-view.js';
import type { Store } from '../../store/store.js';
import { trialProgress } from '../../sweeps/trial-progress.js';
import { runsByTrial } from './runs-by-trial.js';

/** The trials of a sweep, in order of proposal. */
export function viewTrials(store: Store, sweep: SweepRecord): SweepTrial[] {
  const runs = runsByTrial(store, sweep.number);
  return store.sweeps
    .trials(sweep.number)
    .map((trial) => viewTrial(sweep, trial, runs.get(trial.trial) ?? []));
}

/** Only the epochs up to its rung count: how far a trial trained beyond it before it stopped depends on the machine. */
function viewTrial(sweep: SweepRecord, trial: TrialRecord, runs: readonly RunRecord[]): SweepTrial {
  const { values, hasFailed } = trialProgress(runs);
  const counted = values.slice(0, trial.toEpoch);
  const value = counted.length > 0 ? Math.min(...counted) : Number.POSITIVE_INFINITY;
  const failed = hasFailed && counted.length < trial.toEpoch;
  return {
    trial: trial.trial,
    state: stateOf(sweep, trial, failed),
    point: trial.point,
    epochs: counted.length,
    value: Number.isFinite(value) ? value : null,
    bestEpoch: Number.isFinite(value) ? counted.indexOf(value) + 1 : null,
    experimentIds: runs.map(({ experimentId }) => experimentId),
    error: trial.error,
  };
}

function stateOf(
  { state, input }: SweepRecord,
  { phase }: TrialRecord,
  failed: boolean,
): SweepTrial['state'] {
  if (failed) return 'failed';
  if (phase === 'over') return 'finished';
  if (phase === 'running' && state !== 'finished' && state !== 'cancelled') return 'running';
  const mayGoOn = state === 'running' || state === 'paused';
  return mayGoOn && input.stopping.type === 'asha' ? 'waiting' : 'stopped';
}

/** Best first; those without a value last. */
export function compareByValue(a: SweepTrial, b: SweepTrial): number {
  return (a.value ?? Number.MAX_VALUE) - (b.value ?? Number.MAX_VALUE) || a.trial - b.trial;
}

/** The trial with the lowest value; the first of several. */
export function bestTrial(trials: readonly SweepTrial[]): SweepTrial | null {
  const best = trials.toSorted(compareByValue)[0];
  return best && best.value !== null ? best : null;
}
