/**
 * The arithmetic of layers and optimizers, as far as it can be fused: one interface, one folder per implementation.
 * Implementations are passed in; `loadBackend` returns the fastest available. One test suite covers all implementations.
 *
 * Tensors are borrowed and results are owned by the caller, with one exception: a tensor to be updated may be changed in
 * place. Such a method returns the updated tensor, the same one or another; in the latter case the caller disposes the old one.
 * Results that include plain numbers (`coalesceRows`, `nextTokens`) outlive the surrounding tidy.
 *
 * `bf16`: compute the large products in bfloat16; ignored if {@link Kernels.hasBfloat16} is false.
 */

import type { TopLogits } from '../tensor/logits.js';
import type { RandomKey } from '../tensor/random.js';
import type { Tensor, Tensor1D, Tensor2D } from '../tensor/tensorflow.js';
import type { CellKernels, CellOps, Tensors } from './cell.js';

export interface Kernels {
  readonly name: 'fused' | 'composed';
  readonly hasBfloat16: boolean;
  /** Whether a row of a product is bitwise identical whatever other rows there are. Cells have their own flag. */
  readonly rowsAreIndependent: boolean;

  /** The steps of a recurrent cell, fused if this implementation supports it, otherwise composed. */
  cell(composed: CellOps): CellKernels;

  /** table[ids], [S, D] for ids of any shape S. */
  rows(input: { readonly table: Tensor; readonly ids: Tensor }): Tensor;
  /** Combines gradients into one with distinct ids by summing rows; ids keep the order of first appearance. */
  coalesceRows(gradients: readonly RowGradient[]): RowGradient;
  /** table[ids[m]] += rows[m] · factor. @returns the table, possibly the same tensor */
  addRows(table: Tensor, gradient: RowGradient, factor?: number): Tensor;

  /** x ⊙ mask, where the mask is 0 with probability `rate`, else 1 / (1 − rate), and repeats after `period` elements. */
  dropout(input: DropoutInput): Tensor;

  /** Packs the output weights [V, H] for {@link logits}, {@link losses} and {@link nextTokens}. Opaque, may be empty. */
  packOutput(input: Pick<OutputWeights, 'w' | 'bf16'>): Tensors;
  /** h·wᵀ + b, [M, V] */
  logits(input: PackedOutput & { readonly h: Tensor }): Tensor2D;
  /** −ln softmax(h·wᵀ + b) at the targets, [M], in nats. */
  losses(input: PackedOutput & OutputTargets): Tensor1D;
  /** The losses, and the gradients of Σ losses · scale. */
  lossesAndGradients(input: OutputWeights & OutputTargets & { readonly scale: number }): OutputGradients;
  /** A step of a whole model: reads one token of each stream, and returns the likeliest next tokens. */
  nextTokens(input: NextTokensInput): NextTokens;

  /** Σ x² of each tensor. */
  sumSquares(xs: readonly Tensor[]): Float32Array;
  /** value −= learningRate · (gradient · gradientScale + weightDecay · value); then average += (value − average) · coefficient. */
  sgd(input: SgdInput): readonly SgdResult[];
  /** One step of Adam or AdamW, see src/training/adam.ts. */
  adam(input: AdamInput): AdamTensors;
  /** One update of dynamic evaluation, see src/evaluation/dynamic-model.ts. @returns the value, possibly the same tensor */
  adapt(input: AdaptInput): Tensor;
}

/** A gradient of some rows of a table: row `ids[m]` has the gradient `rows[m]`. */
export interface RowGradient {
  /** M row numbers. */
  readonly ids: Int32Array;
  /** [M, D] or [T, N, D] */
  readonly rows: Tensor;
  /** Whether all ids are distinct. */
  readonly coalesced?: boolean;
}

/** A gradient of a whole tensor, or of some of its rows. */
export type Gradient =
  | { readonly kind: 'dense'; readonly value: Tensor }
  | { readonly kind: 'rows'; readonly rows: RowGradient };

export interface DropoutInput {
  readonly x: Tensor;
  readonly key: RandomKey;
  readonly rate: number;
  readonly period: number;
}

export interface OutputWeights {
  readonly w: Tensor; // [V, H]
  readonly b: Tensor; // [V]
  readonly bf16: boolean;
}

/** Output weights with the result of {@link Kernels.packOutput}. */
export interface PackedOutput extends OutputWeights {
  readonly packed: Tensors;
}

export interface OutputTargets {
  readonly h: Tensor; // [M, H] or [T, N, H]
  readonly targets: Int32Array; // [M]
}

export interface OutputGradients {
  readonly losses: Tensor1D; // [M]
  readonly dh: Tensor; // as h
  readonly dw: Tensor; // [V, H]
  readonly db: Tensor; // [V]
}

/** A recurrent layer with its current state. */
export interface LayerStep {
  readonly cell: CellKernels;
  readonly state: Tensors; // [N, H] each; may be changed in place
  readonly weights: Tensors;
  readonly packed: Tensors;
}

export interface NextTokensInput {
  readonly ids: Int32Array; // [N]
  /** Number of tokens per stream. */
  readonly count: number;
  readonly embedding: Tensor; // [V, D]
  /** The first layer reads the embedding. */
  readonly layers: readonly LayerStep[];
  readonly output: PackedOutput;
}

export interface NextTokens {
  /** `count` per stream, by descending logit, ties by ascending id. */
  readonly top: TopLogits;
  /** One per layer, after the step. */
  readonly states: readonly Tensors[];
}

export interface SgdUpdate {
  readonly value: Tensor;
  readonly gradient: Tensor;
  /** Either all updates of a call have an average, or none. */
  readonly average?: Tensor | undefined;
}

export interface SgdInput {
  readonly updates: readonly SgdUpdate[];
  readonly learningRate: number;
  readonly gradientScale: number;
  readonly weightDecay: number;
  readonly averageCoefficient?: number;
}

export type SgdResult = Pick<SgdUpdate, 'value' | 'average'>;

export interface AdamTensors {
  readonly value: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
}

export interface AdamInput extends AdamTensors {
  readonly gradient: Tensor;
  readonly learningRate: number;
  readonly gradientScale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly decoupled: boolean;
  /** 1 − βᵗ */
  readonly correction1: number;
  readonly correction2: number;
}

export interface AdaptInput {
  readonly value: Tensor;
  readonly trained: Tensor;
  readonly gradient: Gradient;
  /** null = plain SGD */
  readonly roots: Tensor | null;
  readonly learningRate: number;
  /** λ, or λ / mean(R) with roots */
  readonly decay: number;
  readonly epsilon: number;
}
