import { bestValue } from './best-value.js';
import type { TrialProgress } from './sweep-schedule.js';

/** The experiment of one seed of a trial. */
export interface SeedRun {
  /** The objective after each epoch; null: not finite. */
  readonly curve: readonly (number | null)[];
  /** null: it may train further. */
  readonly outcome: 'succeeded' | 'failed' | null;
}

/**
 * A trial as the mean of its seeds, up to the epoch that all have come to. One that ended before the others counts on
 * with its best value; one that failed makes the trial fail. A trial without runs made no experiment.
 */
export function trialProgress(runs: readonly SeedRun[]): TrialProgress {
  const curves = runs.map(({ curve, outcome }) => ({
    outcome,
    values: curve.map((value) => value ?? Number.POSITIVE_INFINITY),
  }));
  const open = curves.filter(({ outcome }) => outcome !== 'succeeded').map(({ values }) => values.length);
  const ended = curves.map(({ values }) => values.length);
  const length = open.length > 0 ? Math.min(...open) : Math.max(0, ...ended);
  const values = Array.from({ length }, (_, epoch) => {
    const sum = curves.reduce((total, run) => total + (run.values[epoch] ?? bestValue(run.values)), 0);
    return sum / curves.length;
  });
  const hasFailed = runs.length === 0 || runs.some(({ outcome }) => outcome === 'failed');
  return { values, isOver: hasFailed || open.length === 0, hasFailed };
}
