import * as tf from '../tensor/tensorflow.js';

/** All that an LSTM layer remembers of the past. Both [N, H]. */
export interface LstmState {
  readonly hidden: tf.Tensor2D;
  readonly cell: tf.Tensor2D;
}

/** A state without a past; the caller's. */
export function zeroLstmState(batchSize: number, hiddenSize: number): LstmState {
  return { hidden: tf.zeros([batchSize, hiddenSize]), cell: tf.zeros([batchSize, hiddenSize]) };
}

export function disposeLstmState(state: LstmState | null): void {
  state?.hidden.dispose();
  state?.cell.dispose();
}
