/**
 * The interface of layers.
 *
 * The legend of dimension letters, used everywhere: N batch (parallel streams), T time steps, D width of the input,
 * H width of the hidden state, V vocabulary, L layers, M = T·N tokens. Tensors are time-major: [T, N, …].
 *
 * A layer borrows its input; its output is owned by the caller; it keeps its cache from forward until backward, and owns its
 * state; replaced tensors are disposed.
 */
import type { Tensor } from '../tensor/tensorflow.js';
import type { Parameter } from './parameter.js';

export interface Layer {
  /** For error messages, such as `lstm1`. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Disposes cache and state; parameters belong to the model. */
  dispose(): void;
}

/** A layer that maps a tensor to a tensor. */
export interface TensorLayer extends Layer {
  /** @param training applies masks, and keeps the cache for backward */
  forward(input: Tensor, training: boolean): Tensor;
  /** Accumulates the gradients of the parameters and returns that of the input. Consumes the cache of the last forward. */
  backward(dOutput: Tensor): Tensor;
}
