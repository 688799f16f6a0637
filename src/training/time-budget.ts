/**
 * Converts a time budget into a number of steps. The first plan comes from the speed of the first steps, which another program may have
 * slowed down, or a processor that is not yet warm sped up; so it is corrected once, when a tenth of it is done. The plans are part of
 * the checkpoint: whatever the load of the machine after that, the training has the same steps and the same final weights.
 */
import type { FirstPlan } from '../contracts/trainer-progress.js';

/** First steps, which are slower than the others. */
export const UNMEASURED_STEPS = 5;
/** Steps after which there is a first plan. Until then schedules stand at their beginning. */
export const PLANNING_STEPS = 30;
/** What a token costs when it is evaluated, as a part of what it costs to train on it. */
export const EVALUATION_SHARE = 1 / 3;
/** Parts of the steps between the first plan and its correction, each of which measures the speed. Odd: their median is one of them. */
const MEASURED_PARTS = 9;

export interface StepCosts {
  readonly stepSeconds: number;
  readonly evaluationsPerStep: number;
  readonly evaluationSeconds: number;
  /** What the epochs allow. */
  readonly maxSteps: number;
}

/** A number of steps, and what was planned before it was corrected to that. */
export interface StepPlan {
  readonly steps: number;
  /** null = there was no correction. */
  readonly firstSteps: number | null;
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
  return Math.max(PLANNING_STEPS, Math.min(fitting(seconds, costs), costs.maxSteps));
}

/** The step at which a first plan is corrected: a tenth of it, and as many measured steps as it had itself. */
export function correctionStep(firstSteps: number): number {
  return Math.max(2 * PLANNING_STEPS, Math.ceil(firstSteps / 10));
}

/** Whether a first plan has steps left where it would be corrected. */
export function isCorrected(firstSteps: number): boolean {
  return firstSteps > correctionStep(firstSteps);
}

/** Adds what is measured at a step; the plan itself between two measurements. @param trainSeconds training time so far */
export function measure(plan: FirstPlan, step: number, trainSeconds: number): FirstPlan {
  if (step < partEnd(plan.steps, plan.seconds.length)) return plan;
  return { ...plan, seconds: [...plan.seconds, trainSeconds] };
}

/**
 * The time of a step since the first plan: the median over the parts of the mean in each. The means have all that steps cost from time to
 * time; the median leaves out what disturbs fewer than half of the parts.
 */
export function measuredStepSeconds({ steps, seconds }: FirstPlan): number {
  const means = seconds.slice(1).map((end, index) => {
    const count = partEnd(steps, index + 1) - partEnd(steps, index);
    return (end - seconds[index]!) / count;
  });
  return means.sort((a, b) => a - b)[Math.floor(means.length / 2)]!;
}

/**
 * The plan after its correction: the steps so far, and those that fit into the rest of the time. At least as many again, if they were
 * planned: a learning rate that rises for a tenth of the plan needs some steps to fall.
 */
export function correctedSteps(secondsLeft: number, firstSteps: number, costs: StepCosts): number {
  const step = correctionStep(firstSteps);
  const steps = Math.min(step + fitting(Math.max(0, secondsLeft), costs), costs.maxSteps);
  return Math.max(steps, Math.min(2 * step, firstSteps));
}

/**
 * Part of a plan that is done. It follows the first plan until the correction and goes on from there in a straight line, so that no
 * schedule jumps. The steps that measure the speed first count as its beginning, however it is planned.
 */
export function fractionOfPlan(step: number, { steps, firstSteps }: StepPlan): number {
  if (step < PLANNING_STEPS) return 0;
  if (firstSteps === null || !isCorrected(firstSteps)) return Math.min(1, step / steps);
  const correction = correctionStep(firstSteps);
  if (step <= correction) return step / firstSteps;
  const start = correction / firstSteps;
  return Math.min(1, start + ((1 - start) * (step - correction)) / (steps - correction));
}

function fitting(seconds: number, { stepSeconds, evaluationsPerStep, evaluationSeconds }: StepCosts): number {
  return Math.floor(seconds / (stepSeconds + evaluationsPerStep * evaluationSeconds));
}

/** The last step of a part; of part 0: that of the first plan. */
function partEnd(firstSteps: number, part: number): number {
  return PLANNING_STEPS + Math.floor((part * (correctionStep(firstSteps) - PLANNING_STEPS)) / MEASURED_PARTS);
}
