/** Builds the events of a trainer. For the meaning of each event, see contracts/events.ts. */
import type { TrainingEvent } from '../contracts/events.js';
import type { TrainerProgress } from '../contracts/trainer-progress.js';
import { parameterCount } from '../models/language-model.js';
import type { EndReason, TrainerOptions } from './trainer-options.js';
import type { StepFigures } from './trainer-progress.js';

/** Minimum interval between two `step` events. */
const STEP_EVENT_INTERVAL_MS = 500;

/** How much of the training is done. */
export interface Completion {
  /** Epochs so far, with the fraction of the present one. */
  readonly epochs: number;
  readonly remainingSeconds: number | null;
}

/** @param resumedFrom null = it starts from scratch */
export function startedEvent(
  { model, splits, unknownRate, environment }: TrainerOptions,
  stepsPerEpoch: number,
  resumedFrom: Readonly<TrainerProgress> | null,
): TrainingEvent {
  return {
    type: 'started',
    data: {
      ...environment,
      parameterCount: parameterCount(model),
      vocabularySize: model.vocabularySize,
      trainTokens: splits.train.length,
      validTokens: splits.valid.length,
      ...(unknownRate !== undefined && { unknownRate }),
      stepsPerEpoch,
      resumedFrom: resumedFrom && { epoch: resumedFrom.epoch, step: resumedFrom.step },
    },
  };
}

/** Determines when a step event is due: by a number of steps, or by time. */
export class StepClock {
  readonly #every: number | null;
  #lastEventTime = Number.NEGATIVE_INFINITY;

  /** @param every steps between two events; null = at most two events a second */
  constructor(every: number | null) {
    this.#every = every;
  }

  isDue(step: number): boolean {
    if (this.#every !== null) return step % this.#every === 0;
    const now = performance.now();
    if (now - this.#lastEventTime < STEP_EVENT_INTERVAL_MS) return false;
    this.#lastEventTime = now;
    return true;
  }
}

/** The event about the steps since the last one. */
export function stepEvent(
  { step, windowLoss, windowTokens, windowSeconds }: Readonly<TrainerProgress>,
  { learningRate, gradNorm }: StepFigures,
  { epochs, remainingSeconds }: Completion,
): TrainingEvent {
  const loss = windowLoss / windowTokens;
  return {
    type: 'step',
    data: {
      step,
      epoch: epochs,
      loss: finite(loss),
      trainPerplexity: finite(Math.exp(loss)),
      learningRate,
      gradNorm: finite(gradNorm),
      tokensPerSecond: perSecond(windowTokens, windowSeconds),
      remainingSeconds,
    },
  };
}

/** @param progress with the epoch counted, and its sums still there */
export function epochEvent(
  progress: Readonly<TrainerProgress>,
  figures: {
    readonly validLoss: number;
    readonly validBitsPerByte: number | null;
    readonly learningRate: number;
    readonly evaluationSeconds: number;
    readonly remainingSeconds: number | null;
    readonly isBest: boolean;
  },
): Extract<TrainingEvent, { type: 'epoch' }> {
  const { epoch, step, epochLoss, epochTokens, epochGradNorm, epochSteps, epochSeconds } = progress;
  const { validLoss, validBitsPerByte, learningRate, evaluationSeconds, remainingSeconds, isBest } = figures;
  const trainLoss = epochLoss / epochTokens;
  return {
    type: 'epoch',
    data: {
      epoch,
      step,
      trainLoss: finite(trainLoss),
      trainPerplexity: finite(Math.exp(trainLoss)),
      validLoss: finite(validLoss),
      validPerplexity: finite(Math.exp(validLoss)),
      validBitsPerByte,
      learningRate,
      tokensPerSecond: perSecond(epochTokens, epochSeconds),
      gradNorm: finite(epochGradNorm / epochSteps),
      seconds: epochSeconds + evaluationSeconds,
      remainingSeconds,
      isBest,
    },
  };
}

/** The non-finite quantity that causes a failure or a rollback. */
export type NonFinite = 'loss' | 'gradient' | 'validation loss';

/** @param restored the progress that it goes on from */
export function rollbackEvent(
  failure: {
    readonly what: NonFinite;
    readonly step: number;
    readonly epoch: number;
    /** The new learning rate. */
    readonly learningRate: number;
  },
  restored: Readonly<TrainerProgress>,
): TrainingEvent {
  const { what, step, epoch, learningRate } = failure;
  return {
    type: 'rollback',
    data: {
      step,
      epoch,
      reason: `The ${what} was not finite`,
      restored: { epoch: restored.epoch, step: restored.step },
      learningRate,
    },
  };
}

/** @param digest of the final weights */
export function succeededEvent(
  { bestValidLoss, totalSeconds, step, firstPlan, plannedSteps }: Readonly<TrainerProgress>,
  figures: {
    readonly testLoss: number;
    readonly testBitsPerByte: number | null;
    readonly validBitsPerByte: number | null;
  },
  digest: string,
  reason: EndReason,
): TrainingEvent {
  const { testLoss, testBitsPerByte, validBitsPerByte } = figures;
  return {
    type: 'succeeded',
    data: {
      testLoss: finite(testLoss),
      testPerplexity: finite(Math.exp(testLoss)),
      testBitsPerByte,
      validPerplexity: bestValidLoss === null ? null : finite(Math.exp(bestValidLoss)),
      validBitsPerByte,
      digest,
      seconds: totalSeconds,
      reason,
      steps: step,
      plannedSteps: plannedSteps ?? firstPlan?.steps ?? null,
      firstPlannedSteps: (plannedSteps === null ? null : firstPlan?.steps) ?? null,
    },
  };
}

function perSecond(count: number, seconds: number): number {
  return count / Math.max(seconds, 1e-9);
}

/** JSON has no NaN and no Infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
