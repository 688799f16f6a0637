/**
 * Asynchronous successive halving (Li et al. 2018, arXiv 1810.05934, algorithm 2): every trial is paused at the first
 * rung. Whenever a slot is free, the best 1/η of a rung are promoted to the next one, the highest rung first; if none can be,
 * a new trial starts.
 */
import { bestValue } from './best-value.js';
import type { JudgedTrial, StoppingRule } from './stopping-rule.js';

export interface AshaOptions {
  readonly minimumEpochs: number;
  readonly reductionFactor: number;
}

export function createAsha(options: AshaOptions, epochs: number): StoppingRule {
  const rungs = ashaRungs(options, epochs);
  return {
    nextRung: (done) => rungs.find((rung) => rung > done) ?? epochs,
    goesOn: () => false,
    promote(trials) {
      for (const rung of rungs.slice(0, -1).toReversed()) {
        const promotable = promotableTrial(trials, rung, options.reductionFactor);
        if (promotable) return promotable.index;
      }
      return null;
    },
  };
}

/** Epochs of the rungs: r, r η, r η² … and the last epoch. */
export function ashaRungs({ minimumEpochs, reductionFactor }: AshaOptions, epochs: number): number[] {
  const rungs: number[] = [];
  for (let rung = minimumEpochs; Math.round(rung) < epochs; rung *= reductionFactor)
    rungs.push(Math.round(rung));
  return [...rungs, epochs];
}

/** The best trial that waits at a rung, if it is among the best 1/η of all that have reached it. */
function promotableTrial(trials: readonly JudgedTrial[], rung: number, reductionFactor: number) {
  const arrived = trials
    .filter(({ values, isOver }) => values.length >= rung || isOver)
    .toSorted((a, b) => rungValue(a, rung) - rungValue(b, rung) || a.index - b.index);
  return arrived
    .slice(0, Math.floor(arrived.length / reductionFactor))
    .find((trial) => trial.values.length === rung && !trial.isRunning && !trial.isOver);
}

/** A trial that failed before the rung ranks last. */
function rungValue({ values }: JudgedTrial, rung: number): number {
  return values.length === 0 ? Number.MAX_VALUE : Math.min(Number.MAX_VALUE, bestValue(values, rung));
}
