/**
 * The median rule (Golovin et al. 2017, "Google Vizier", section 3.2): a trial stops when its best value so far is worse
 * than the median, over the other trials that have reached the epoch, of the mean of their values up to it.
 */
import { bestValue } from './best-value.js';
import type { StoppingRule } from './stopping-rule.js';

export interface MedianOptions {
  readonly minimumEpochs: number;
  readonly minimumTrials: number;
}

export function createMedianRule(options: MedianOptions, epochs: number): StoppingRule {
  return {
    nextRung: (done) => Math.min(epochs, Math.max(options.minimumEpochs, done + 1)),
    goesOn(trial, trials) {
      const done = trial.values.length;
      const others = trials.filter(({ index, values }) => index !== trial.index && values.length >= done);
      if (others.length < options.minimumTrials) return true;
      const means = others.map(({ values }) => mean(values.slice(0, done)));
      return bestValue(trial.values) <= median(means);
    },
    promote: () => null,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)); // Infinity - Infinity is NaN
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
