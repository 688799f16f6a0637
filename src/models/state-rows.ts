import { disposeLstmState, type LstmState } from '../layers/lstm-state.js';
import * as tf from '../tensor/tensorflow.js';

/** The past of N streams that is there: one LSTM state a layer. */
export type StreamStates = readonly LstmState[];

/** The streams of all of them, one after another, as one state; takes them over. At least one. */
export function joinStates(states: readonly StreamStates[]): StreamStates {
  if (states.length === 1) return states[0]!;
  const joined = states[0]!.map((_, layer) => ({
    hidden: tf.concat(states.map((state) => state[layer]!.hidden)),
    cell: tf.concat(states.map((state) => state[layer]!.cell)),
  }));
  for (const state of states) disposeStates(state);
  return joined;
}

/** Some streams of a state, in the order of `rows`; the caller's, and the state stays. */
export function selectStreams(state: StreamStates, rows: readonly number[]): StreamStates {
  const indices = tf.tensor1d(Int32Array.from(rows), 'int32');
  const selected = state.map(({ hidden, cell }) => ({
    hidden: tf.gather(hidden, indices),
    cell: tf.gather(cell, indices),
  }));
  indices.dispose();
  return selected;
}

/** The same streams once more; the caller's. Clones would share their memory, which a step writes to. */
export function copyStates(state: StreamStates): StreamStates {
  return state.map(({ hidden, cell }) => ({ hidden: tf.mul(hidden, 1), cell: tf.mul(cell, 1) }));
}

export function disposeStates(state: StreamStates | null): void {
  for (const layer of state ?? []) disposeLstmState(layer);
}

/** The numbers of one stream, layer after layer, hidden before cell. */
export function stateToNumbers(state: StreamStates): Float32Array {
  const parts = state.flatMap(({ hidden, cell }) => [hidden, cell]).map((part) => part.dataSync<'float32'>());
  const numbers = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    numbers.set(part, at);
    at += part.length;
  }
  return numbers;
}

/**
 * What {@link stateToNumbers} was given; the caller's.
 * @param like one of the same model; is disposed
 * @returns null where the numbers are not those of one such stream
 */
export function stateFromNumbers(numbers: Float32Array, like: StreamStates): StreamStates | null {
  const isWhole = 4 * numbers.length === bytesOfStates(like) && numbers.every(Number.isFinite);
  let at = 0;
  const take = ({ shape, size }: tf.Tensor2D) => {
    at += size;
    return tf.tensor2d(numbers.slice(at - size, at), shape);
  };
  const state = isWhole ? like.map(({ hidden, cell }) => ({ hidden: take(hidden), cell: take(cell) })) : null;
  disposeStates(like);
  return state;
}

/** Memory of its numbers. */
export function bytesOfStates(state: StreamStates): number {
  return state.reduce((total, { hidden, cell }) => total + 4 * (hidden.size + cell.size), 0);
}
