import type { TrainerProgress } from '../contracts/trainer-progress.js';
import { INITIAL_SCHEDULE_STATE } from './schedule.js';

/** Before the first step. */
export const INITIAL_PROGRESS: Readonly<TrainerProgress> = {
  step: 0,
  epoch: 0,
  position: 0,
  epochLoss: 0,
  epochTokens: 0,
  epochGradNorm: 0,
  epochSteps: 0,
  epochSeconds: 0,
  totalSeconds: 0,
  evaluationSeconds: 0,
  windowLoss: 0,
  windowTokens: 0,
  windowSeconds: 0,
  bestEpoch: null,
  bestValidLoss: null,
  lastValidLoss: null,
  rollbackDivisor: 1,
  schedule: INITIAL_SCHEDULE_STATE,
  measuredSeconds: [],
  firstPlan: null,
  plannedSteps: null,
  maskCounter: 0,
  lengthCounter: 0,
  recentEpochs: [],
};

/** More epochs than a training completes between the death of its server and its own. */
const MAX_RECENT_EPOCHS = 100;

/** Keeps the event of an epoch for {@link TrainerProgress}.recentEpochs. */
export function keepEpoch(progress: TrainerProgress, event: TrainerProgress['recentEpochs'][number]): void {
  progress.recentEpochs = [...progress.recentEpochs, event].slice(-MAX_RECENT_EPOCHS);
}

/** One update. */
export interface StepFigures {
  /** Sum over the tokens, nats. */
  readonly loss: number;
  readonly tokens: number;
  /** Joint L2 norm before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly seconds: number;
}

/** Adds a step. @param position time steps of the epoch's text that were read */
export function countStep(progress: TrainerProgress, step: StepFigures, position: number): void {
  progress.step += 1;
  progress.position = position;
  progress.epochLoss += step.loss;
  progress.epochTokens += step.tokens;
  progress.epochGradNorm += step.gradNorm;
  progress.epochSteps += 1;
  progress.epochSeconds += step.seconds;
  progress.totalSeconds += step.seconds;
  progress.windowLoss += step.loss;
  progress.windowTokens += step.tokens;
  progress.windowSeconds += step.seconds;
}

/** Completes the epoch, but for its sums, which its event still reads. @returns whether it is the best so far */
export function countEpoch(progress: TrainerProgress, validLoss: number, evaluationSeconds: number): boolean {
  const isBest = progress.bestValidLoss === null || validLoss < progress.bestValidLoss;
  progress.epoch += 1;
  progress.position = 0;
  progress.lastValidLoss = validLoss;
  progress.totalSeconds += evaluationSeconds;
  progress.evaluationSeconds += evaluationSeconds;
  if (isBest) {
    progress.bestEpoch = progress.epoch;
    progress.bestValidLoss = validLoss;
  }
  return isBest;
}

/** Sets the sums over an epoch to zero. */
export function clearEpochSums(progress: TrainerProgress): void {
  const { epochLoss, epochTokens, epochGradNorm, epochSteps, epochSeconds } = INITIAL_PROGRESS;
  Object.assign(progress, { epochLoss, epochTokens, epochGradNorm, epochSteps, epochSeconds });
}

/** Sets the sums since the last step event to zero. */
export function clearWindowSums(progress: TrainerProgress): void {
  const { windowLoss, windowTokens, windowSeconds } = INITIAL_PROGRESS;
  Object.assign(progress, { windowLoss, windowTokens, windowSeconds });
}
