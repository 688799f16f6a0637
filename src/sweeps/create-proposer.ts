import type { SweepStrategy } from '../contracts/sweep.js';
import { createGridProposer } from './grid.js';
import type { Proposer } from './proposer.js';
import { createScatteredProposer } from './scattered.js';
import type { Setting } from './search-space.js';
import { createTpeProposer } from './tpe.js';

/** Creates the proposer of a strategy. */
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
