import type { SweepPoint } from '../contracts/sweep.js';

/** The results of a trial when another one is proposed. */
export interface Observation {
  readonly point: SweepPoint;
  /** Completed epochs; COMPLETE for a finished trial. */
  readonly epochs: number;
  /** The objective at its best epoch so far; Infinity = failed; null = not known yet. */
  readonly value: number | null;
}

/** Proposes points. Deterministic: depends only on the number of the trial, the seed and the trials before it. */
export interface Proposer {
  /**
   * The point of a trial; null when the space is exhausted.
   * @param history the previous trials, in order
   */
  propose(index: number, history: readonly Observation[]): SweepPoint | null;
}
