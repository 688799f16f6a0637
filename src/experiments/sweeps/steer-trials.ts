import type { ExperimentState } from '../../contracts/experiment.js';
import type { SweepRecord } from '../../contracts/sweep-record.js';
import { cancelExperiment, pauseExperiment, resumeExperiment } from '../control-experiment.js';
import { isEvaluating } from './is-evaluating.js';
import { pauseAtRung } from './pause-at-rung.js';
import type { SweepDependencies } from './sweep-dependencies.js';

/** States in which an experiment can be paused. */
const MAY_PAUSE: readonly ExperimentState[] = ['queued', 'preparing', 'running'];
/** States of a paused experiment. */
const PAUSED_STATES: readonly ExperimentState[] = ['paused', 'interrupted'];
/** Final states. */
const IS_OVER: readonly ExperimentState[] = ['succeeded', 'failed', 'cancelled', 'cancelling'];

/**
 * Pauses the experiments of trials that should not train now, and resumes those that the sweep itself had paused. Experiments
 * that were paused by a user stay paused; those that have trained all their epochs may evaluate their test text.
 */
export function steerTrials(dependencies: SweepDependencies, sweep: SweepRecord): void {
  const { store } = dependencies;
  const trials = store.sweeps.trials(sweep.number);
  for (const run of store.sweeps.runs(sweep.number)) {
    const { experimentId, outcome, rests, curve } = run;
    const trial = trials[run.trial]!;
    const experiment = outcome === null ? store.experiments.find(experimentId) : undefined;
    if (!experiment) continue;
    const { state, pauseAtEpoch } = experiment;
    const mayRun = isEvaluating(trial, run)
      ? sweep.state !== 'paused'
      : sweep.state === 'running' && trial.phase === 'running';
    const hasPausedItself = pauseAtEpoch !== null && curve.length >= pauseAtEpoch;
    if (sweep.state === 'cancelled') {
      if (!IS_OVER.includes(state)) cancelExperiment(dependencies, experimentId);
    } else if (mayRun) {
      const isShortOfRung = curve.length < trial.toEpoch; // at its rung it waits for the sweep to decide
      if ((rests || (hasPausedItself && isShortOfRung)) && PAUSED_STATES.includes(state))
        store.transaction(() => {
          store.sweeps.updateRun(experimentId, { rests: false });
          resumeExperiment(dependencies, experimentId, {
            pauseAtEpoch: pauseAtRung(sweep, trial.toEpoch),
          });
        });
    } else if (MAY_PAUSE.includes(state) && !hasPausedItself) {
      store.transaction(() => {
        store.sweeps.updateRun(experimentId, { rests: true });
        pauseExperiment(dependencies, experimentId);
      });
    }
  }
}
