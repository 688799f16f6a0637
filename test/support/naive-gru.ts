/**
 * A GRU in plain loops over float64 arrays, forward only: nothing is shared with src/layers. Reset-after form, PyTorch's order
 * r, z, n, for weights packed as gatelm has them.
 */
import type { LstmSizes } from './naive-lstm.js';

export interface GruInputs extends LstmSizes {
  readonly x: ArrayLike<number>; // [T, N, D]
  readonly hidden: ArrayLike<number>; // [N, H]
  readonly wx: ArrayLike<number>; // [D, 3H]
  readonly wh: ArrayLike<number>; // [H, 3H]
  readonly b: ArrayLike<number>; // [4H]
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** @returns all hidden vectors, [T, N, H] */
export function naiveGruForward(inputs: GruInputs): Float64Array {
  const { time: T, batchSize: N, inputSize: D, hiddenSize: H, x, hidden, wx, wh, b } = inputs;
  const hiddens = new Float64Array(T * N * H);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const before = Float64Array.from({ length: H }, (_, h) =>
        t === 0 ? hidden[n * H + h]! : hiddens[((t - 1) * N + n) * H + h]!,
      );
      const ofInput = (k: number) => {
        let sum = b[k]!;
        for (let d = 0; d < D; d++) sum += x[(t * N + n) * D + d]! * wx[d * 3 * H + k]!;
        return sum;
      };
      const ofPast = (k: number) => before.reduce((sum, value, h) => sum + value * wh[h * 3 * H + k]!, 0);
      for (let h = 0; h < H; h++) {
        const reset = sigmoid(ofInput(h) + ofPast(h));
        const update = sigmoid(ofInput(H + h) + ofPast(H + h));
        const candidate = Math.tanh(ofInput(2 * H + h) + reset * (ofPast(2 * H + h) + b[3 * H + h]!));
        hiddens[(t * N + n) * H + h] = (1 - update) * candidate + update * before[h]!;
      }
    }
  }
  return hiddens;
}
