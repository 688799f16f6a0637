import type { ExperimentRecord } from '../../contracts/experiment-record.js';
import type { MetricPoint } from '../../contracts/metrics.js';
import type { RunRecord, SweepRecord } from '../../contracts/sweep-record.js';
import type { Store } from '../../store/store.js';

/** The metric of each objective. */
const OBJECTIVE_METRICS = { validLoss: 'validLoss', bitsPerByte: 'validBitsPerByte' } as const;
/** Points per page. */
const PAGE = 1000;

/**
 * Copies metrics and outcomes of the experiments of a sweep. Copied values are kept even if an
 * experiment goes back to a checkpoint and measures them again: it measures the same.
 */
export function collectResults(store: Store, { number, input }: SweepRecord): void {
  for (const run of store.sweeps.runs(number)) {
    if (run.outcome !== null) continue;
    const experiment = store.experiments.find(run.experimentId);
    const outcome = experiment ? outcomeOf(experiment, run) : 'failed';
    const curve = experiment
      ? [...run.curve, ...newValues(store, experiment, OBJECTIVE_METRICS[input.objective], run.curve.length)]
      : run.curve;
    if (curve.length > run.curve.length || outcome !== null)
      store.sweeps.updateRun(run.experimentId, { curve, outcome });
  }
}

/** The final outcome of an experiment; null: it trains, waits, or is paused by the sweep. */
function outcomeOf({ state, willRestart }: ExperimentRecord, { rests }: RunRecord): RunRecord['outcome'] {
  if (state === 'succeeded') return 'succeeded';
  if (state === 'failed' || state === 'cancelled') return 'failed';
  return state === 'interrupted' && !willRestart && !rests ? 'failed' : null;
}

/** The values of the epochs after the known ones. */
function newValues(
  store: Store,
  { number }: ExperimentRecord,
  key: string,
  known: number,
): MetricPoint['value'][] {
  const values: MetricPoint['value'][] = [];
  for (let afterStep = -1; ; ) {
    const page = store.metrics.points(number, key, afterStep, PAGE);
    values.push(...page.filter(({ epoch }) => epoch > known).map(({ value }) => value));
    if (page.length < PAGE) return values;
    afterStep = page.at(-1)!.step;
  }
}
