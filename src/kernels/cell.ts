/** T steps of a recurrent cell as pure functions. T time, N batch, D input, H hidden. */
import type { Tensor, Tensor3D } from '../tensor/tensorflow.js';
import { type CellSource, gatherSource, sumSource } from './indexed-rows.js';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

export interface CellInput {
  readonly x: Tensor3D; // [T, N, D]
  readonly state: Tensors; // before the first step, [N, H] each
  readonly weights: Tensors;
  /** Compute the large products in bfloat16. */
  readonly bf16: boolean;
}

export interface CellRun {
  readonly hiddens: Tensor3D; // [T, N, H]
  /** State after the last step. */
  readonly state: Tensors;
  /** Values for the gradient, [T, N, …] each; every implementation uses the same names. */
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

/** A cell, composed of TensorFlow ops: the reference for every implementation. */
export interface CellOps {
  /** Name by which an implementation finds its fused form. */
  readonly name: string;
  forward(input: CellInput): CellRun;
  backward(input: CellGradientInput): CellGradients;
}

/** An input of a run whose x steps may share. */
export type FromSource<Input extends CellInput> = Omit<Input, 'x'> & { readonly x: CellSource };

/** A cell in an implementation of the kernels. */
export interface CellKernels {
  readonly name: string;
  /** Whether a stream is bitwise identical whatever other streams are in the batch. */
  readonly rowsAreIndependent: boolean;
  forward(input: FromSource<CellInput>): CellRun;
  /** dx is as x: [T, N, D], or [R, D] where steps share inputs. */
  backward(input: FromSource<CellGradientInput>): Omit<CellGradients, 'dx'> & { readonly dx: Tensor };
  /** Packs the weights for {@link infer}: once, for many calls. Opaque, may be empty. */
  pack(weights: Tensors, bf16: boolean): Tensors;
  /** {@link forward} without values for the gradient. */
  infer(input: FromSource<CellInput> & { readonly packed: Tensors }): Pick<CellRun, 'hiddens' | 'state'>;
}

/** A cell without a fused form. Call it in a tidy. */
export function composedCell(cell: CellOps): CellKernels {
  const forward = (input: FromSource<CellInput>) => cell.forward({ ...input, x: gatherSource(input.x) });
  return {
    name: cell.name,
    rowsAreIndependent: false,
    forward,
    backward(input) {
      const { dx, dWeights } = cell.backward({ ...input, x: gatherSource(input.x) });
      return { dx: sumSource(input.x, dx), dWeights };
    },
    pack: () => ({}),
    infer: forward,
  };
}
