import type { Tensor } from '../tensor/tensorflow.js';
import type { OptimizerScalars } from './optimizer.js';
import type { ScheduleState } from './schedule.js';

/** Where a training stands, as plain numbers. With the tensors beside it, all that exact resume needs. */
export interface TrainerProgress {
  /** Updates so far, over all epochs. */
  step: number;
  /** Epochs that are complete. */
  epoch: number;
  /** Time steps of the present epoch's text that were read. */
  position: number;
  /** Sums over the present epoch, for its event. */
  epochLoss: number;
  epochTokens: number;
  epochGradNorm: number;
  epochSteps: number;
  /** Seconds trained (without evaluation) in the present epoch, and in all. */
  epochSeconds: number;
  totalSeconds: number;
  bestEpoch: number | null;
  bestValidLoss: number | null;
  lastValidLoss: number | null;
  /** After a rollback: divides the learning rate. 1 before. */
  rollbackDivisor: number;
  schedule: ScheduleState;
  /** Counters of the random numbers for masks and for batch lengths. */
  maskCounter: number;
  lengthCounter: number;
}

export interface TrainerSnapshot {
  readonly progress: Readonly<TrainerProgress>;
  readonly optimizer: OptimizerScalars;
  /**
   * Parameters by name, the optimizer's slots as `optimizer.NAME`, the LSTM state as `state.PART.LAYER.hidden` and
   * `….cell`. Borrowed when taken; the trainer's own when restored.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
}
