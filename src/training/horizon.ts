import type { TrainerProgress } from '../contracts/trainer-progress.js';
import type { TrainingConfig } from '../contracts/training.js';
import {
  correctedSteps,
  correctionStep,
  EVALUATION_SHARE,
  fractionOfPlan,
  isCorrected,
  measure,
  measuredStepSeconds,
  PLANNING_STEPS,
  type StepCosts,
  type StepPlan,
  stepsWithin,
  UNMEASURED_STEPS,
  undisturbed,
} from './time-budget.js';
import type { Completion } from './trainer-events.js';
import type { EndReason } from './trainer-options.js';
import type { StepFigures } from './trainer-progress.js';

/** The sizes of a text that determine the length of a training. */
export interface TextLength {
  /** Time steps of one stream in an epoch. */
  readonly streamLength: number;
  readonly stepsPerEpoch: number;
  readonly validTokens: number;
}

type Progress = Readonly<TrainerProgress>;

/** Determines how much of a training is done and when it ends: by epochs, steps, time or patience. */
export class Horizon {
  readonly #training: TrainingConfig;
  readonly #text: TextLength;

  constructor(training: TrainingConfig, text: TextLength) {
    this.#training = training;
    this.#text = text;
  }

  /** Why no further epoch begins; null = one does. Checked before each, so that a resumed training ends at the same point. */
  endReason(progress: Progress): EndReason | null {
    const { earlyStopping, epochs } = this.#training;
    const { epoch, bestEpoch, epochSteps } = progress;
    if (epochSteps > 0) return null;
    if (earlyStopping !== null && bestEpoch !== null && epoch - bestEpoch >= earlyStopping.patience)
      return 'early-stopping';
    if (epoch >= epochs) return 'epochs';
    return this.limitReached(progress);
  }

  /** Why the training ends here, possibly within an epoch; null = it continues. */
  limitReached(progress: Progress): EndReason | null {
    const { maxDuration } = this.#training;
    const plan = this.#plan(progress);
    if (plan !== null && progress.step >= plan.steps) return 'steps';
    return maxDuration !== null && progress.totalSeconds >= maxDuration ? 'max-duration' : null;
  }

  /** Part of the training that is done; 0 before a time budget is planned. */
  fraction(progress: Progress): number {
    const { epochs, timeBudget, maxSteps } = this.#training;
    if (timeBudget === null && maxSteps === null) return this.#epochs(progress) / epochs;
    const plan = this.#plan(progress);
    return plan === null ? 0 : fractionOfPlan(progress.step, plan);
  }

  completion(progress: Progress): Completion {
    const { maxDuration } = this.#training;
    const { totalSeconds } = progress;
    const fraction = this.fraction(progress);
    const plan = this.#plan(progress);
    const untilEnd =
      plan === null
        ? (totalSeconds * (1 - fraction)) / fraction
        : Math.max(0, plan.steps - progress.step) * secondsPerStep(progress);
    const untilLimit = Math.max(0, (maxDuration ?? Number.POSITIVE_INFINITY) - totalSeconds);
    return {
      epochs: this.#epochs(progress),
      remainingSeconds: fraction > 0 ? Math.min(untilEnd, untilLimit) : null,
    };
  }

  /**
   * Converts a time budget into a number of steps when enough steps were measured, and corrects that once. Called after each step, with
   * its figures. The plan of an earlier version, which has no first plan, stays as it is.
   */
  plan(progress: TrainerProgress, figures: Pick<StepFigures, 'seconds' | 'tokens'>): void {
    const { timeBudget, maxSteps } = this.#training;
    if (timeBudget === null || maxSteps !== null || progress.plannedSteps !== null) return;
    if (progress.firstPlan === null) this.#planFirst(progress, timeBudget, figures);
    else this.#correct(progress, timeBudget);
  }

  #planFirst(
    progress: TrainerProgress,
    timeBudget: number,
    { seconds, tokens }: Pick<StepFigures, 'seconds' | 'tokens'>,
  ): void {
    const { batchSize, bpttLength } = this.#training;
    if (progress.step <= UNMEASURED_STEPS) return;
    const ofWholeStep = (seconds * batchSize * bpttLength) / tokens;
    progress.measuredSeconds = [...progress.measuredSeconds, ofWholeStep];
    if (progress.step < PLANNING_STEPS) return;
    const steps = stepsWithin(timeBudget, this.#costs(progress, undisturbed(progress.measuredSeconds)));
    progress.measuredSeconds = [];
    if (isCorrected(steps)) progress.firstPlan = { steps, seconds: [trainSeconds(progress)] };
    else progress.plannedSteps = steps;
  }

  #correct(progress: TrainerProgress, timeBudget: number): void {
    const { step, totalSeconds } = progress;
    const firstPlan = measure(progress.firstPlan!, step, trainSeconds(progress));
    progress.firstPlan = firstPlan;
    if (step < correctionStep(firstPlan.steps)) return;
    const costs = this.#costs(progress, measuredStepSeconds(firstPlan));
    progress.plannedSteps = correctedSteps(timeBudget - totalSeconds, firstPlan.steps, costs);
  }

  /** What steps and evaluations cost: an evaluation as much as those so far, or an estimate before the first one. */
  #costs({ epoch, evaluationSeconds }: Progress, stepSeconds: number): StepCosts {
    const { batchSize, bpttLength, epochs } = this.#training;
    const { stepsPerEpoch, validTokens } = this.#text;
    const estimate = (stepSeconds * validTokens * EVALUATION_SHARE) / (batchSize * bpttLength);
    return {
      stepSeconds,
      evaluationsPerStep: 1 / stepsPerEpoch,
      evaluationSeconds: evaluationSeconds > 0 ? evaluationSeconds / epoch : estimate,
      maxSteps: epochs * stepsPerEpoch,
    };
  }

  /** The number of steps of this training; null = epochs determine it, or it is not planned yet. */
  #plan({ plannedSteps, firstPlan }: Progress): StepPlan | null {
    const { maxSteps, firstPlannedSteps, timeBudget } = this.#training;
    if (maxSteps !== null) return { steps: maxSteps, firstSteps: firstPlannedSteps };
    if (timeBudget === null) return null; // the plan stays in the checkpoint when a budget is lifted
    if (plannedSteps !== null) return { steps: plannedSteps, firstSteps: firstPlan?.steps ?? null };
    return firstPlan && { steps: firstPlan.steps, firstSteps: null };
  }

  /** Epochs so far, with the part of the present one. */
  #epochs({ epoch, position }: Progress): number {
    return epoch + position / this.#text.streamLength;
  }
}

/** Time of the training so far without its evaluations. */
function trainSeconds({ totalSeconds, evaluationSeconds }: Progress): number {
  return totalSeconds - evaluationSeconds;
}

/** Time of a step with its part of the evaluations. What disturbed the steps before the first plan is over: they do not count. */
function secondsPerStep(progress: Progress): number {
  const { step, totalSeconds, evaluationSeconds, firstPlan } = progress;
  if (firstPlan === null || step <= PLANNING_STEPS) return totalSeconds / step;
  const sincePlan = trainSeconds(progress) - firstPlan.seconds[0]!;
  return sincePlan / (step - PLANNING_STEPS) + evaluationSeconds / step;
}
