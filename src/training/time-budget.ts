/**
 * Converts a time budget into a number of steps. The speed is measured once, over the first steps, and the result is part of the
 * checkpoint: whatever the load of the machine later, the training has the same steps and the same final weights.
 */

/** First steps, which are slower than the others. */
export const UNMEASURED_STEPS = 5;
/** Steps after which the speed is known. Until then schedules stand at their beginning. */
export const PLANNING_STEPS = 30;
/** What a token costs when it is evaluated, as a part of what it costs to train on it. */
export const EVALUATION_SHARE = 1 / 3;

export interface StepCosts {
  readonly stepSeconds: number;
  readonly evaluationsPerStep: number;
  readonly evaluationSeconds: number;
  /** What the epochs allow. */
  readonly maxSteps: number;
}

/**
 * The time of a step where nothing else was done, from measured ones: the lower quartile. A mean would be that of the code while it is
 * still being compiled, and of whatever else the machine did in this half second.
 */
export function undisturbed(seconds: readonly number[]): number {
  const sorted = [...seconds].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)]!;
}

/** Steps that fit into a time together with their evaluations; at least those that were measured. */
export function stepsWithin(seconds: number, costs: StepCosts): number {
  const { stepSeconds, evaluationsPerStep, evaluationSeconds, maxSteps } = costs;
  const fitting = Math.floor(seconds / (stepSeconds + evaluationsPerStep * evaluationSeconds));
  return Math.max(PLANNING_STEPS, Math.min(fitting, maxSteps));
}
