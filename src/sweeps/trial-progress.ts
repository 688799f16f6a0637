import { bestValue } from './best-value.js';
import type { TrialProgress } from './sweep-schedule.js';

/** The experiment of one seed of a trial. */
export interface SeedRun {
  /** The objective after each epoch; null = not finite. */
  readonly curve: readonly (number | null)[];
  /** null = not finished. */
  readonly outcome: 'succeeded' | 'failed' | null;
}

/**
 * The progress of a trial as the mean of its seeds, up to the epoch that all have reached. A run that ended earlier counts
 * with its best value; a failed run makes the trial fail. A trial without runs has an invalid config.
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
