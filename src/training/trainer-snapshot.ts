import type { TrainerProgress } from '../contracts/trainer-progress.js';
import { State } from '../models/state.js';
import type { Tensor, Tensor2D } from '../tensor/tensorflow.js';
import type { OptimizerScalars } from './optimizer.js';

/** The state of a trainer, from which it can resume. */
export interface TrainerSnapshot {
  readonly progress: Readonly<TrainerProgress>;
  readonly optimizer: OptimizerScalars;
  /**
   * Parameters by name, the optimizer's slots as `optimizer.NAME`, the state of each part of the batch as `state.PART.NAME`,
   * such as `state.0.1.hidden`. Borrowed when taken; the trainer's own when restored.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The three kinds of tensors in a snapshot, each by its own name. */
export interface SnapshotTensors {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly slots: ReadonlyMap<string, Tensor>;
  /** One per part of the batch. */
  readonly states: readonly (State | null)[];
}

/** The tensors under the names that they have in a snapshot; borrowed. */
export function nameTensors({ weights, slots, states }: SnapshotTensors): Map<string, Tensor> {
  const named = new Map(weights);
  for (const [name, slot] of slots) named.set(`${SLOT}${name}`, slot);
  for (const [name, tensor] of nameStates(states)) named.set(name, tensor);
  return named;
}

/** The inverse of {@link nameTensors}. */
export function sortTensors(tensors: ReadonlyMap<string, Tensor>): SnapshotTensors {
  const weights = new Map<string, Tensor>();
  const slots = new Map<string, Tensor>();
  const states = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(SLOT)) slots.set(name.slice(SLOT.length), tensor);
    else if (name.startsWith(STATE)) states.set(name.slice(STATE.length), tensor);
    else weights.set(name, tensor);
  }
  return { weights, slots, states: assembleStates(states) };
}

const SLOT = 'optimizer.';
const STATE = 'state.';

function* nameStates(states: readonly (State | null)[]): Generator<[string, Tensor]> {
  for (const [part, state] of states.entries()) {
    for (const [name, tensor] of state?.tensors ?? []) yield [`${STATE}${part}.${name}`, tensor];
  }
}

/** @param tensors as `PART.NAME` */
function assembleStates(tensors: ReadonlyMap<string, Tensor>): State[] {
  const parts: Map<string, Tensor2D>[] = [];
  for (const [name, tensor] of tensors) {
    const [part = ''] = name.split('.', 1);
    parts[Number(part)] ??= new Map();
    parts[Number(part)]!.set(name.slice(part.length + 1), tensor as Tensor2D);
  }
  return parts.map((named) => new State(named));
}
