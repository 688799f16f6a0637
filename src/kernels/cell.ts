/** T steps of a recurrent cell as pure functions. T time, N batch, D input, H hidden. */
import type { Tensor, Tensor3D } from '../tensor/tensorflow.js';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

export interface CellInput {
  readonly x: Tensor3D; // [T, N, D]
  readonly state: Tensors; // before the first step, [N, H] each
  readonly weights: Tensors;
  /** Make the large products in bfloat16. */
  readonly bf16: boolean;
}

export interface CellRun {
  readonly hiddens: Tensor3D; // [T, N, H]
  /** After the last step. */
  readonly state: Tensors;
  /** What the gradient needs of the steps, [T, N, …] each; the same names from every implementation. */
  readonly saved: Tensors;
}

export interface CellGradientInput extends CellInput {
  readonly dHiddens: Tensor3D; // [T, N, H]
  readonly hiddens: Tensor3D; // [T, N, H]
  readonly saved: Tensors;
}

export interface CellGradients {
  readonly dx: Tensor3D; // [T, N, D]
  /** By the names of the weights. */
  readonly dWeights: Tensors;
}

/** A cell, composed of TensorFlow ops: what every implementation agrees with. */
export interface CellOps {
  /** By which an implementation knows a fused form of it. */
  readonly name: string;
  forward(input: CellInput): CellRun;
  backward(input: CellGradientInput): CellGradients;
}

/** A cell as an implementation of the kernels runs it. */
export interface CellKernels extends CellOps {
  /** Whether a stream is the same to the last bit whatever streams are beside it. */
  readonly rowsAreIndependent: boolean;
  /** Weights as {@link infer} wants them: made once, used for many calls. Opaque, maybe empty. */
  pack(weights: Tensors, bf16: boolean): Tensors;
  /** {@link forward} without what only a gradient needs. */
  infer(input: CellInput & { readonly packed: Tensors }): Pick<CellRun, 'hiddens' | 'state'>;
}

/** A cell without a fused form. */
export function composedCell(cell: CellOps): CellKernels {
  return {
    name: cell.name,
    rowsAreIndependent: false,
    forward: (input) => cell.forward(input),
    backward: (input) => cell.backward(input),
    pack: () => ({}),
    infer: (input) => cell.forward(input),
  };
}
