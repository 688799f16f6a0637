/**
 * The interface of a language model for training, evaluation and generation.
 *
 * Deliberately not here: optimizers, files, text. A model reads token ids and computes losses, gradients or logits.
 */

import type { Kernels } from '../kernels/kernels.js';
import type { Parameter } from '../layers/parameter.js';
import type { TopLogits } from '../tensor/logits.js';
import type { RandomSource } from '../tensor/random.js';
import type { Tensor2D, Tensor3D } from '../tensor/tensorflow.js';
import type { State } from './state.js';

/** T steps of N streams: inputs, and targets that follow them. Both T·N ids, time-major. */
export interface TokenBatch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly time: number;
  readonly batchSize: number;
}

/** Terms of the objective in addition to the losses. */
export interface Objective {
  /** Factor of every token's gradient; 1 / M for the mean over tokens. */
  readonly gradientScale: number;
  /** α of α·mean(dropped output²), already scaled by the share of the batch in the step. */
  readonly activationRegularization: number;
  /** β of β·mean((h_t+1 − h_t)²), scaled likewise. */
  readonly temporalActivationRegularization: number;
}

/** Activations of one recurrent layer over T steps of N streams: the channels of its cell by name, [T, N, H] each. */
export type LayerActivations = Readonly<Record<string, Tensor3D>>;

/** Activations while a batch is read; the tensors are owned by the caller. */
export type Inspection = {
  /** Nats per token. */
  readonly losses: Float32Array;
  /** Logits of all words at each token, [M, V] */
  readonly logits: Tensor2D;
  /** One per layer, the first layer first. */
  readonly layers: LayerActivations[];
};

export interface LanguageModel {
  readonly vocabularySize: number;
  /** Its kernels; an optimizer of its parameters uses the same. */
  readonly kernels: Kernels;
  /** Whether the results of a stream are bitwise identical whatever other streams are in the batch. */
  readonly rowsAreIndependent: boolean;
  readonly parameters: readonly Parameter[];
  /** Random numbers of the masks; its counter belongs in a checkpoint. */
  readonly random: RandomSource;

  /** Reads a batch with dropout and accumulates the gradients. @returns losses in nats, one per token */
  accumulateGradients(batch: TokenBatch, objective: Objective): Float32Array;
  /** Like {@link accumulateGradients}, also returns the last layer's hidden vectors, [M, H], owned by the caller. */
  accumulateGradientsAndHiddens(
    batch: TokenBatch,
    objective: Objective,
  ): { losses: Float32Array; hiddens: Tensor2D };
  /** Reads a batch without dropout. @returns losses in nats, one per token */
  losses(batch: TokenBatch): Float32Array;
  /** Like {@link losses}, also returns the last layer's hidden vectors, [T·N, H], owned by the caller. */
  lossesAndHiddens(batch: TokenBatch): { losses: Float32Array; hiddens: Tensor2D };
  /**
   * Like {@link losses}, also returns the activations of all layers, and all logits.
   * @param ablated units whose output is set to 0, by layer
   */
  inspect(batch: TokenBatch, ablated?: readonly (readonly number[])[]): Inspection;
  /** Reads T tokens of one stream without predictions, such as a prompt. */
  read(ids: Int32Array): void;
  /** Reads one token of each stream. @returns the logits of the next token, [N, V], owned by the caller */
  nextLogits(ids: Int32Array): Tensor2D;
  /** The same for the likeliest next tokens only. @param count per stream, at most V */
  nextTokens(ids: Int32Array, count: number): TopLogits;

  /** Takes the state out of the model, which has none afterwards; owned by the caller. */
  takeState(): State | null;
  /** Sets the state, whose ownership passes to the model; null = none. @throws tensor-mismatch for a state of another model */
  putState(state: State | null): void;
  /** The initial state of N streams; owned by the caller. */
  emptyState(streams: number): State;
  /** A copy with the same weights, without dropout and without a state; owned by the caller. */
  copyWithoutDropout(): LanguageModel;
  dispose(): void;
}

/** Number of trainable weights; a tied parameter counts once. */
export function parameterCount(model: LanguageModel): number {
  return model.parameters.reduce((total, parameter) => total + parameter.size, 0);
}
