import type { SweepStopping } from '../contracts/sweep.js';
import { createAsha } from './asha.js';
import { createMedianRule } from './median-rule.js';

/** A trial as a rule sees it. */
export interface JudgedTrial {
  readonly index: number;
  /** The objective after each epoch; Infinity where it is not a number or the trial failed. */
  readonly values: readonly number[];
  /** It holds a slot. */
  readonly isRunning: boolean;
  /** Nothing can be added: all epochs are done, or it ended before. */
  readonly isOver: boolean;
}

/** Says how far a trial goes before it is judged, and which ones go on. */
export interface StoppingRule {
  /** The epoch at which a trial that has done so many is judged next; Infinity: at its end only. */
  nextRung(epochs: number): number;
  /** Whether a trial that has come to a rung keeps its slot. */
  goesOn(trial: JudgedTrial, trials: readonly JudgedTrial[]): boolean;
  /** A trial that has none and should get a free slot before anything new is tried. */
  promote(trials: readonly JudgedTrial[]): number | null;
}

/** @param epochs of a trial that is never stopped */
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
