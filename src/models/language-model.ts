/**
 * What a language model is to those who train, evaluate and sample it.
 *
 * Deliberately not here: optimizers, files, text. A model reads token ids and gives losses, gradients or logits.
 */

import type { Kernels } from '../kernels/kernels.js';
import type { Parameter } from '../layers/parameter.js';
import type { TopLogits } from '../tensor/logits.js';
import type { RandomSource } from '../tensor/random.js';
import type { Tensor2D, Tensor3D } from '../tensor/tensorflow.js';
import type { State } from './state.js';

/** T steps of N streams: what is read, and what comes next. Both T·N ids, time-major. */
export interface TokenBatch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly time: number;
  readonly batchSize: number;
}

/** What is differentiated beside the losses. */
export interface Objective {
  /** Factor of every token's gradient; 1 / M for the mean over tokens. */
  readonly gradientScale: number;
  /** α of α·mean(dropped output²), already scaled by the part that the batch has in the step. */
  readonly activationRegularization: number;
  /** β of β·mean((h_t+1 − h_t)²), likewise. */
  readonly temporalActivationRegularization: number;
}

/** What one recurrent layer did over T steps of N streams: the channels of its cell by name, [T, N, H] each. */
export type LayerActivations = Readonly<Record<string, Tensor3D>>;

/** All that happens inside while a batch is read; the tensors are the caller's. */
export type Inspection = {
  /** Nats, one a token. */
  readonly losses: Float32Array;
  /** Scores of all words at each token, [M, V] */
  readonly logits: Tensor2D;
  /** One a layer, the first one first. */
  readonly layers: LayerActivations[];
};

export interface LanguageModel {
  readonly vocabularySize: number;
  /** What it computes with; an optimizer of its parameters uses the same. */
  readonly kernels: Kernels;
  /** Whether a stream gets the same numbers, to the last bit, whatever streams are beside it. */
  readonly rowsAreIndependent: boolean;
  readonly parameters: readonly Parameter[];
  /** Where the masks come from; its counter belongs in a checkpoint. */
  readonly random: RandomSource;

  /** Reads a batch with dropout and accumulates the gradients. @returns losses, nats, one a token */
  accumulateGradients(batch: TokenBatch, objective: Objective): Float32Array;
  /** Like {@link accumulateGradients}, with the last layer's hidden vectors, [M, H], the caller's. */
  accumulateGradientsAndHiddens(
    batch: TokenBatch,
    objective: Objective,
  ): { losses: Float32Array; hiddens: Tensor2D };
  /** Reads a batch without dropout. @returns losses, nats, one a token */
  losses(batch: TokenBatch): Float32Array;
  /** Like {@link losses}, with what they follow from: the last layer's hidden vectors, [T·N, H], the caller's. */
  lossesAndHiddens(batch: TokenBatch): { losses: Float32Array; hiddens: Tensor2D };
  /**
   * Like {@link losses}, with what all layers did, and all logits.
   * @param ablated units whose output is held at 0, by layer
   */
  inspect(batch: TokenBatch, ablated?: readonly (readonly number[])[]): Inspection;
  /** Reads T tokens of one stream and predicts nothing: how a prompt is taken in. */
  read(ids: Int32Array): void;
  /** Reads one token of each stream. @returns the logits of what comes next, [N, V], the caller's */
  nextLogits(ids: Int32Array): Tensor2D;
  /** The same, and no more than the likeliest tokens that come next. @param count of each stream, at most V */
  nextTokens(ids: Int32Array, count: number): TopLogits;

  /** Gives the state to the caller; the model has none then. */
  takeState(): State | null;
  /** Goes on from this state, which becomes the model's own; null = from none. @throws tensor-mismatch for one of another model */
  putState(state: State | null): void;
  /** N streams without a past; the caller's. */
  emptyState(streams: number): State;
  /** A model of its own with the same weights, without dropout and without a state; the caller's. */
  copyWithoutDropout(): LanguageModel;
  dispose(): void;
}

/** Number of learned numbers; a tied parameter counts once. */
export function parameterCount(model: LanguageModel): number {
  return model.parameters.reduce((total, parameter) => total + parameter.size, 0);
}
