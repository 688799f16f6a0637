import type { ScheduleState } from '../contracts/trainer-progress.js';
import type { ScheduleConfig } from '../contracts/training.js';

/** Where a training stands. */
export interface TrainingProgress {
  /** The present epoch, counted from 1. */
  readonly epoch: number;
  /** Part of all text, over all epochs, that was read: 0 … 1. */
  readonly fraction: number;
}

export const INITIAL_SCHEDULE_STATE: ScheduleState = { divisor: 1, bestValidLoss: null };

/** Start of the one-cycle schedule, as a part of the highest learning rate (Smith 2018, arXiv 1803.09820). */
const ONE_CYCLE_START = 1 / 25;

/** The factor of the learning rate at this point of the training. */
export function learningRateFactor(
  config: ScheduleConfig,
  progress: TrainingProgress,
  state: ScheduleState,
): number {
  switch (config.type) {
    case 'constant':
      return 1;
    case 'divide-on-plateau':
      return 1 / state.divisor;
    case 'exponential':
      return config.factor ** Math.max(0, progress.epoch - config.fromEpoch + 1);
    case 'cosine':
      return warmThenAnneal(progress.fraction, config, 0);
    case 'one-cycle':
      return warmThenAnneal(progress.fraction, config, ONE_CYCLE_START);
    default:
      return config satisfies never;
  }
}

/** The state after an epoch was evaluated: a loss that does not beat the best divides the learning rate. */
export function afterEvaluation(
  config: ScheduleConfig,
  state: ScheduleState,
  validLoss: number,
): ScheduleState {
  if (config.type !== 'divide-on-plateau') return state;
  if (state.bestValidLoss === null || validLoss < state.bestValidLoss)
    return { ...state, bestValidLoss: validLoss };
  return { ...state, divisor: state.divisor * config.divisor };
}

/** Linear rise from `start` to 1, then half a cosine down to the minimum. */
function warmThenAnneal(
  fraction: number,
  { warmupFraction, minimumFraction }: { warmupFraction: number; minimumFraction: number },
  start: number,
): number {
  if (fraction < warmupFraction) return start + (1 - start) * (fraction / warmupFraction);
  const rest = warmupFraction < 1 ? (fraction - warmupFraction) / (1 - warmupFraction) : 1;
  return minimumFraction + (1 - minimumFraction) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, rest)));
}
