import type { Tensor2D } from '../tensor/tensorflow.js';
import type { Tensors } from './cell.js';

/** The weights of one round of a Mogrifier: the whole matrix, or its two factors. */
export type RoundWeights = { readonly whole: Tensor2D } | { readonly down: Tensor2D; readonly up: Tensor2D };

/** Reads q1, q2, … or q1_down, q1_up, … in order from the weights of a layer. */
export function roundsOf(weights: Tensors): RoundWeights[] {
  const rounds: RoundWeights[] = [];
  for (let round = 1; ; round++) {
    const [whole, down, up] = ['', '_down', '_up'].map(
      (end) => weights[`q${round}${end}`] as Tensor2D | undefined,
    );
    if (whole) rounds.push({ whole });
    else if (down && up) rounds.push({ down, up });
    else return rounds;
  }
}
