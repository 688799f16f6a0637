import { appError } from '../errors.js';
import type { Parameter } from '../layers/parameter.js';
import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import type * as tf from '../tensor/tensorflow.js';
import type { GradientStatistics } from './gradient-statistics.js';

/** Hyper-parameters of dynamic evaluation. */
export interface DynamicEvaluation {
  readonly rule: 'rms' | 'sgd';
  /** η */
  readonly learningRate: number;
  /** λ: rate of decay towards the trained weights. */
  readonly decay: number;
  /** ε; used by rms only. */
  readonly epsilon: number;
  /** Tokens between two updates. */
  readonly segmentLength: number;
}

/**
 * A model that learns from each segment s of a text after predicting it. θ is a copy of the trained weights θ_g, which do
 * not change.
 *
 *     sgd: θ ← θ − η · ∇L(s) + λ · (θ_g − θ)
 *     rms: θ ← θ − η · ∇L(s) / (R + ε) + min(λ · R / mean(R), 1) · (θ_g − θ)
 *
 * L(s): mean loss of the segment's tokens, without dropout; R: root mean square of the gradients on the train split, see
 * gradient-statistics.ts; mean(R): the mean over the parameters of the mean of each, as in the authors' code. The
 * state carries over from segment to segment, the gradient does not. sgd with λ = 0 is plain SGD.
 *
 * Reference: Krause, Kahembwe, Murray and Renals 2018, arXiv 1709.07432, equations 5 to 11.
 */
export class DynamicModel {
  readonly #trained: LanguageModel;
  readonly #learner: LanguageModel;
  readonly #options: DynamicEvaluation;
  readonly #statistics: GradientStatistics | null;

  /** @param trained borrowed until {@link dispose} @param statistics borrowed too; required by rms */
  constructor(trained: LanguageModel, options: DynamicEvaluation, statistics: GradientStatistics | null) {
    if (options.rule === 'rms' && !statistics)
      throw appError('internal', { reference: 'dynamic evaluation by rms without statistics' });
    this.#trained = trained;
    this.#options = options;
    this.#statistics = options.rule === 'rms' ? statistics : null;
    this.#learner = trained.copyWithoutDropout();
  }

  /** Predicts a segment, then learns from it. @returns losses in nats, and hidden vectors [T, H], owned by the caller */
  read(segment: TokenBatch): { losses: Float32Array; hiddens: tf.Tensor2D } {
    const result = this.#learner.accumulateGradientsAndHiddens(segment, {
      gradientScale: 1 / segment.time,
      activationRegularization: 0,
      temporalActivationRegularization: 0,
    });
    this.#learner.parameters.forEach((parameter, index) => {
      this.#update(parameter, this.#trained.parameters[index]!.value);
    });
    return result;
  }

  dispose(): void {
    this.#learner.dispose();
  }

  /** Updates one parameter of the copy and clears its gradient. @param trained θ_g, borrowed */
  #update(parameter: Parameter, trained: tf.Tensor): void {
    const { learningRate, decay, epsilon } = this.#options;
    const roots = this.#statistics?.rootMeanSquare(parameter.name) ?? null;
    const scales = { learningRate, decay: this.#statistics ? decay / this.#statistics.mean : decay, epsilon };
    const { gradient, value } = parameter;
    parameter.assign(this.#learner.kernels.adapt({ value, trained, gradient, roots, ...scales }));
    parameter.clearGradient();
  }
}
