import { appError } from '../errors.js';
import type { LanguageModelState } from '../models/language-model.js';
import { keep, type Tensor, type Tensor2D } from '../tensor/tensorflow.js';
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

/** The tensors of the states of all parts, as they are named in a snapshot; borrowed. */
export function* nameStates(states: readonly LanguageModelState[]): Generator<[string, Tensor]> {
  for (const [part, state] of states.entries()) {
    for (const [layer, { hidden, cell }] of (state ?? []).entries()) {
      yield [`state.${part}.${layer}.hidden`, hidden];
      yield [`state.${part}.${layer}.cell`, cell];
    }
  }
}

/** The reverse of {@link nameStates}. */
export function assembleStates(tensors: ReadonlyMap<string, Tensor>): LanguageModelState[] {
  const parts: { hidden: Tensor2D; cell: Tensor2D }[][] = [];
  for (const [name, hidden] of tensors) {
    const [, part, layer, kind] = name.split('.');
    if (kind !== 'hidden') continue;
    const cell = tensors.get(`state.${part}.${layer}.cell`);
    if (!cell)
      throw appError('tensor-mismatch', {
        tensor: `state.${part}.${layer}.cell`,
        expected: 'a tensor',
        actual: 'none',
      });
    parts[Number(part)] ??= [];
    parts[Number(part)]![Number(layer)] = { hidden: keep(hidden) as Tensor2D, cell: keep(cell) as Tensor2D };
  }
  return parts;
}
