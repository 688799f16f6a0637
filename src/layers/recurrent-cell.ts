import type { CellOps, CellRun } from '../kernels/cell.js';
import type { Tensor3D } from '../tensor/tensorflow.js';

/** A weight of one layer, before it has a value. */
export interface WeightSpec {
  readonly shape: readonly number[];
  /** weights: [fan-in, …]; bias: [units] */
  readonly role: 'weights' | 'bias';
}

/** What a recurrent layer is made of: a cell with its weights, its state and what can be seen of it. */
export interface RecurrentCell extends CellOps {
  /** By name, in the order in which they are drawn. */
  weights(inputSize: number, hiddenSize: number): Readonly<Record<string, WeightSpec>>;
  /** The parts of its state, [N, H] each, the output of the last step first. */
  readonly stateParts: readonly string[];
  /** The weights that read the hidden vector of the step before, a row a unit: [H, ·] each. */
  readonly hiddenReaders: readonly string[];
  /** The weights that weight drop masks. */
  readonly recurrentWeights: readonly string[];
  /** The part of a bias to which the config's forgetBias is added, [begin, end) in units of H; null = none. */
  readonly forgetBias: { readonly weight: string; readonly begin: number; readonly end: number } | null;
  /** What to show of a run, by the names that people know: [T, N, H] each. To be called in a tidy. */
  channels(run: Pick<CellRun, 'hiddens' | 'saved'>): Readonly<Record<string, Tensor3D>>;
}
