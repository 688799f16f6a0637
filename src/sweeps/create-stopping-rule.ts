import type { SweepStopping } from '../contracts/sweep.js';
import { createAsha } from './asha.js';
import { createMedianRule } from './median-rule.js';
import type { StoppingRule } from './stopping-rule.js';

/** Creates the stopping rule of a sweep. @param epochs of a trial that is never stopped */
export function createStoppingRule(stopping: SweepStopping, epochs: number): StoppingRule {
  switch (stopping.type) {
    case 'none':
      return { nextRung: () => Number.POSITIVE_INFINITY, goesOn: () => true, promote: () => null };
    case 'asha':
      return createAsha(stopping, epochs);
    case 'median':
      return createMedianRule(stopping, epochs);
    default:
      return stopping satisfies never;
  }
}
