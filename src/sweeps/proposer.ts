import type { SweepPoint, SweepStrategy } from '../contracts/sweep.js';
import { createGridProposer } from './grid.js';
import { createScatteredProposer } from './scattered.js';
import type { Setting } from './search-space.js';
import { createTpeProposer } from './tpe.js';

/** What is known of a trial when another one is proposed. */
export interface Observation {
  readonly point: SweepPoint;
  /** Epochs that are done; COMPLETE where it has come to its end. */
  readonly epochs: number;
  /** The objective at its best epoch so far; Infinity: it failed; null: not known yet. */
  readonly value: number | null;
}

/** Says what to try next. Deterministic: the number of the trial, the seed and the trials before it decide. */
export interface Proposer {
  /**
   * The point of a trial; null when nothing is left to try.
   * @param history the trials before it, in their order
   */
  propose(index: number, history: readonly Observation[]): SweepPoint | null;
}

export function createProposer(
  strategy: SweepStrategy,
  settings: readonly Setting[],
  seed: number,
): Proposer {
  switch (strategy.type) {
    case 'grid':
      return createGridProposer(settings);
    case 'random':
      return createScatteredProposer(settings, seed);
    case 'tpe':
      return createTpeProposer(settings, { seed, startupTrials: strategy.startupTrials });
    default:
      return strategy satisfies never;
  }
}
