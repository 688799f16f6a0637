/**
 * What the layers share.
 *
 * The legend of dimension letters, used everywhere: N batch (streams side by side), T time steps, D width of the input,
 * H width of the hidden state, V vocabulary, L layers, M = T·N tokens. Tensors are time-major: [T, N, …].
 *
 * A layer borrows its input, gives its output to the caller, keeps its cache from forward until backward takes it, and
 * owns its state; what is replaced is disposed.
 */
import type { Tensor } from '../tensor/tensorflow.js';
import type { Parameter } from './parameter.js';

export interface Layer {
  /** For messages, such as `lstm1`. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Frees cache and state; parameters belong to the model. */
  dispose(): void;
}

/** A layer that maps a tensor to a tensor. */
export interface TensorLayer extends Layer {
  /** @param training masks act, and the cache for backward is kept */
  forward(input: Tensor, training: boolean): Tensor;
  /** Accumulates the gradients of the parameters and gives that of the input. Takes the cache: once a forward. */
  backward(dOutput: Tensor): Tensor;
}
