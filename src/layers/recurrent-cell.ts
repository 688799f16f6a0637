import type { CellOps, CellRun } from '../kernels/cell.js';
import type { Tensor3D } from '../tensor/tensorflow.js';

/** Shape and role of a weight of one layer. */
export interface WeightSpec {
  readonly shape: readonly number[];
  /** weights: [fan-in, …]; bias: [units] */
  readonly role: 'weights' | 'bias';
}

/** The cell of a recurrent layer, with its weights, its state and its channels for inspection. */
export interface RecurrentCell extends CellOps {
  /** By name, in the order of initialization. */
  weights(inputSize: number, hiddenSize: number): Readonly<Record<string, WeightSpec>>;
  /** The parts of its state, [N, H] each, the output of the last step first. */
  readonly stateParts: readonly string[];
  /** The weights that are multiplied with the previous hidden vector, one row per unit: [H, ·] each. */
  readonly hiddenReaders: readonly string[];
  /** The weights to which weight drop applies. */
  readonly recurrentWeights: readonly string[];
  /** The part of a bias to which the config's forgetBias is added, [begin, end) in units of H; null = none. */
  readonly forgetBias: { readonly weight: string; readonly begin: number; readonly end: number } | null;
  /** The channels of a run for inspection, by their usual names: [T, N, H] each. Call it in a tidy. */
  channels(run: Pick<CellRun, 'hiddens' | 'saved'>): Readonly<Record<string, Tensor3D>>;
}
