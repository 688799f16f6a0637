import type { TrainerProgress } from '../contracts/trainer-progress.js';
import type { TrainingConfig } from '../contracts/training.js';
import {
  EVALUATION_SHARE,
  PLANNING_STEPS,
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
    const steps = this.#plannedSteps(progress);
    if (steps !== null && progress.step >= steps) return 'steps';
    return maxDuration !== null && progress.totalSeconds >= maxDuration ? 'max-duration' : null;
  }

  /** Part of the training that is done. The steps that measure the speed count as its beginning, however it is planned. */
  fraction(progress: Progress): number {
    const { epochs, timeBudget, maxSteps } = this.#training;
    if (timeBudget === null && maxSteps === null) return this.#epochs(progress) / epochs;
    const steps = this.#plannedSteps(progress);
    return steps === null || progress.step < PLANNING_STEPS ? 0 : Math.min(1, progress.step / steps);
  }

  completion(progress: Progress): Completion {
    const { maxDuration } = this.#training;
    const { totalSeconds } = progress;
    const fraction = this.fraction(progress);
    const untilEnd = (totalSeconds * (1 - fraction)) / fraction;
    const untilLimit = Math.max(0, (maxDuration ?? Number.POSITIVE_INFINITY) - totalSeconds);
    return {
      epochs: this.#epochs(progress),
      remainingSeconds: fraction > 0 ? Math.min(untilEnd, untilLimit) : null,
    };
  }

  /** Converts a time budget into a number of steps, once, when enough steps were measured. Called after each step, with its figures. */
  plan(progress: TrainerProgress, { seconds, tokens }: Pick<StepFigures, 'seconds' | 'tokens'>): void {
    const { timeBudget, maxSteps, batchSize, bpttLength, epochs } = this.#training;
    if (timeBudget === null || maxSteps !== null || progress.plannedSteps !== null) return;
    if (progress.step <= UNMEASURED_STEPS) return;
    const ofWholeStep = (seconds * batchSize * bpttLength) / tokens;
    progress.measuredSeconds = [...progress.measuredSeconds, ofWholeStep];
    if (progress.step < PLANNING_STEPS) return;
    const { stepsPerEpoch, validTokens } = this.#text;
    const stepSeconds = undisturbed(progress.measuredSeconds);
    progress.measuredSeconds = [];
    progress.plannedSteps = stepsWithin(timeBudget, {
      stepSeconds,
      evaluationsPerStep: 1 / stepsPerEpoch,
      evaluationSeconds: (stepSeconds * validTokens * EVALUATION_SHARE) / (batchSize * bpttLength),
      maxSteps: epochs * stepsPerEpoch,
    });
  }

  /** Total number of steps of this training, if not determined by epochs. */
  #plannedSteps({ plannedSteps }: Progress): number | null {
    const { maxSteps, timeBudget } = this.#training;
    return maxSteps ?? (timeBudget === null ? null : plannedSteps); // the plan stays in the checkpoint when a budget is lifted
  }

  /** Epochs so far, with the part of the present one. */
  #epochs({ epoch, position }: Progress): number {
    return epoch + position / this.#text.streamLength;
  }
}
