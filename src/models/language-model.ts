/**
 * What a language model is to those who train, evaluate and sample it.
 *
 * Deliberately not here: optimizers, files, text. A model reads token ids and gives losses, gradients or logits.
 */

import type { LstmState } from '../layers/lstm-state.js';
import type { Parameter } from '../layers/parameter.js';
import type { RandomSource } from '../tensor/random.js';
import type { Tensor2D, Tensor3D } from '../tensor/tensorflow.js';
import type { TopLogits } from './logits.js';

/** T steps of N streams: what is read, and what comes next. Both T·N ids, time-major. */
export interface TokenBatch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly time: number;
  readonly batchSize: number;
}

/** The past of N streams, one LSTM state a layer; null = no past. */
export type LanguageModelState = readonly LstmState[] | null;

/** What is differentiated beside the losses. */
export interface Objective {
  /** Factor of every token's gradient; 1 / M for the mean over tokens. */
  readonly gradientScale: number;
  /** α of α·mean(dropped output²), already scaled by the part that the batch has in the step. */
  readonly activationRegularization: number;
  /** β of β·mean((h_t+1 − h_t)²), likewise. */
  readonly temporalActivationRegularization: number;
}

/** What one LSTM layer did over T steps of N streams. */
export type LayerActivations = {
  /** f, g, i, o after their nonlinearities, [T, N, 4H] */
  readonly gates: Tensor3D;
  /** [T, N, H] */
  readonly cells: Tensor3D;
  /** [T, N, H] */
  readonly hiddens: Tensor3D;
};

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
  /** Like {@link losses}, with gates, cells and hidden vectors of all layers, and all logits. */
  inspect(batch: TokenBatch): Inspection;
  /** Reads T tokens of one stream and predicts nothing: how a prompt is taken in. */
  read(ids: Int32Array): void;
  /** Reads one token of each stream. @returns the logits of what comes next, [N, V], the caller's */
  nextLogits(ids: Int32Array): Tensor2D;
  /** The same, and no more than the likeliest tokens that come next. @param count of each stream, at most V */
  nextTokens(ids: Int32Array, count: number): TopLogits;

  /** Gives the state to the caller; the model has none then. */
  takeState(): LanguageModelState;
  /** Goes on from this state, which becomes the model's own. */
  putState(state: LanguageModelState): void;
  /** N streams without a past; the caller's. */
  emptyState(streams: number): readonly LstmState[];
  /** A model of its own with the same weights, without dropout and without a state; the caller's. */
  copyWithoutDropout(): LanguageModel;
  dispose(): void;
}

/** Number of learned numbers; a tied parameter counts once. */
export function parameterCount(model: LanguageModel): number {
  return model.parameters.reduce((total, parameter) => total + parameter.size, 0);
}
