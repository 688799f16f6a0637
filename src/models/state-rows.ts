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

export function disposeStates(state: StreamStates | null): void {
  for (const layer of state ?? []) disposeLstmState(layer);
}

/** Memory of its numbers. */
export function bytesOfStates(state: StreamStates): number {
  return state.reduce((total, { hidden, cell }) => total + 4 * (hidden.size + cell.size), 0);
}
