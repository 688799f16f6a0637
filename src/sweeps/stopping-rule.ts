/** A trial as input of a stopping rule. */
export interface JudgedTrial {
  readonly index: number;
  /** The objective after each epoch; Infinity if it is NaN or the trial failed. */
  readonly values: readonly number[];
  /** Whether it occupies a slot. */
  readonly isRunning: boolean;
  /** Whether it is finished: all epochs are done, or it ended early. */
  readonly isOver: boolean;
}

/** Decides up to which epoch a trial trains before it is judged, and which trials continue. */
export interface StoppingRule {
  /** The epoch at which a trial with this many epochs is judged next; Infinity = only at its end. */
  nextRung(epochs: number): number;
  /** Whether a trial at a rung keeps its slot. */
  goesOn(trial: JudgedTrial, trials: readonly JudgedTrial[]): boolean;
  /** The waiting trial that should get a free slot before a new trial starts; null = none. */
  promote(trials: readonly JudgedTrial[]): number | null;
}
