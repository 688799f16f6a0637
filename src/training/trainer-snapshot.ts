import { appError } from '../errors.js';
import type { LanguageModelState } from '../models/language-model.js';
import { keep, type Tensor, type Tensor2D } from '../tensor/tensorflow.js';
import type { OptimizerScalars } from './optimizer.js';
import type { TrainerProgress } from './trainer-progress.js';

/** What a trainer writes down to go on from later. */
export interface TrainerSnapshot {
  readonly progress: Readonly<TrainerProgress>;
  readonly optimizer: OptimizerScalars;
  /**
   * Parameters by name, the optimizer's slots as `optimizer.NAME`, the LSTM state as `state.PART.LAYER.hidden` and
   * `….cell`. Borrowed when taken; the trainer's own when restored.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The three kinds of tensors in a snapshot, each by its own name. */
export interface SnapshotTensors {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly slots: ReadonlyMap<string, Tensor>;
  /** One a part of the batch. */
  readonly states: readonly LanguageModelState[];
}

/** The tensors under the names that they have in a snapshot; borrowed. */
export function nameTensors({ weights, slots, states }: SnapshotTensors): Map<string, Tensor> {
  const named = new Map(weights);
  for (const [name, slot] of slots) named.set(`${SLOT}${name}`, slot);
  for (const [name, tensor] of nameStates(states)) named.set(name, tensor);
  return named;
}

/** The reverse of {@link nameTensors}. */
export function sortTensors(tensors: ReadonlyMap<string, Tensor>): SnapshotTensors {
  const weights = new Map<string, Tensor>();
  const slots = new Map<string, Tensor>();
  const states = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(SLOT)) slots.set(name.slice(SLOT.length), tensor);
    else if (name.startsWith(STATE)) states.set(name, tensor);
    else weights.set(name, tensor);
  }
  return { weights, slots, states: assembleStates(states) };
}

const SLOT = 'optimizer.';
const STATE = 'state.';

function* nameStates(states: readonly LanguageModelState[]): Generator<[string, Tensor]> {
  for (const [part, state] of states.entries()) {
    for (const [layer, { hidden, cell }] of (state ?? []).entries()) {
      yield [`state.${part}.${layer}.hidden`, hidden];
      yield [`state.${part}.${layer}.cell`, cell];
    }
  }
}

function assembleStates(tensors: ReadonlyMap<string, Tensor>): LanguageModelState[] {
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
