/**
 * A Mogrifier LSTM in plain loops over float64 arrays, forward only: nothing is shared with src/layers. Rounds of whole
 * matrices, as q1, q2, …; a factored one is multiplied out by {@link product}.
 */
import { type LstmInputs, naiveLstmForward } from './naive-lstm.js';

export interface MogrifierInputs extends LstmInputs {
  /** [H, D] in odd rounds, [D, H] in even ones. */
  readonly rounds: readonly ArrayLike<number>[];
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** @returns all hidden vectors, [T, N, H] */
export function naiveMogrifierForward(inputs: MogrifierInputs): Float64Array {
  const { time, batchSize: N, inputSize: D, hiddenSize: H } = inputs;
  const hiddens = new Float64Array(time * N * H);
  let hidden: Float64Array = Float64Array.from(inputs.hidden);
  let cell: Float64Array = Float64Array.from(inputs.cell);
  for (let t = 0; t < time; t++) {
    let x: Float64Array = Float64Array.from({ length: N * D }, (_, at) => inputs.x[t * N * D + at]!);
    for (const [index, matrix] of inputs.rounds.entries()) {
      if (index % 2 === 0) x = modulate(x, product(hidden, matrix, N, H, D));
      else hidden = modulate(hidden, product(x, matrix, N, D, H));
    }
    const step = naiveLstmForward({ ...inputs, time: 1, x, hidden, cell });
    [hidden, cell] = [step.hiddens, step.cells];
    hiddens.set(hidden, t * N * H);
  }
  return hiddens;
}

/** [rows, inner] · [inner, columns] */
export function product(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += left[row * inner + k]! * right[k * columns + column]!;
    return sum;
  });
}

function modulate(values: Float64Array, scores: Float64Array): Float64Array {
  return values.map((value, at) => 2 * sigmoid(scores[at]!) * value);
}
