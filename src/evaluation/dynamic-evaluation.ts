import { evaluationBatches } from '../corpus/batch-iterator.js';
import { appError } from '../errors.js';
import type { Parameter } from '../layers/parameter.js';
import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import { fusedKernels } from '../tensor/backend.js';
import type { NativeKernels } from '../tensor/native-kernels.js';
import { rowsToTable } from '../tensor/row-gradient.js';
import * as tf from '../tensor/tensorflow.js';
import type { Evaluation } from './evaluate.js';
import type { GradientStatistics } from './gradient-statistics.js';
import { CacheMixer, type NeuralCache } from './neural-cache.js';

/** Hyper-parameters of dynamic evaluation. */
export interface DynamicEvaluation {
  readonly rule: 'rms' | 'sgd';
  /** η */
  readonly learningRate: number;
  /** λ: part of the way back to the trained weights. */
  readonly decay: number;
  /** ε; read by rms only. */
  readonly epsilon: number;
  /** Tokens between two updates. */
  readonly segmentLength: number;
}

/**
 * A model that learns from each segment s of a text after it was predicted. θ is a copy of the trained weights θ_g, which
 * stay as they are.
 *
 *     sgd: θ ← θ − η · ∇L(s) + λ · (θ_g − θ)
 *     rms: θ ← θ − η · ∇L(s) / (R + ε) + min(λ · R / mean(R), 1) · (θ_g − θ)
 *
 * L(s): mean loss of the segment's tokens, without dropout; R: root mean square of the gradients on the train split, see
 * gradient-statistics.ts; mean(R): the mean over the parameters of the mean of each, as in the authors' program. The
 * state flows on from segment to segment, the gradient does not. sgd with λ = 0 is plain SGD.
 *
 * Reference: Krause, Kahembwe, Murray and Renals 2018, arXiv 1709.07432, equations 5 to 11.
 */
export class DynamicModel {
  readonly #trained: LanguageModel;
  readonly #learner: LanguageModel;
  readonly #options: DynamicEvaluation;
  readonly #statistics: GradientStatistics | null;

  /** @param trained borrowed until {@link dispose} @param statistics borrowed likewise; needed by rms */
  constructor(trained: LanguageModel, options: DynamicEvaluation, statistics: GradientStatistics | null) {
    if (options.rule === 'rms' && !statistics)
      throw appError('internal', { reference: 'dynamic evaluation by rms without statistics' });
    this.#trained = trained;
    this.#options = options;
    this.#statistics = options.rule === 'rms' ? statistics : null;
    this.#learner = trained.copyWithoutDropout();
  }

  /** Predicts a segment, and learns from it. @returns losses, nats, and hidden vectors [T, H], the caller's */
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

  /** One update of one parameter of the copy; clears its gradient. @param trained θ_g, borrowed */
  #update(parameter: Parameter, trained: tf.Tensor): void {
    const { learningRate, decay, epsilon } = this.#options;
    const roots = this.#statistics?.rootMeanSquare(parameter.name) ?? null;
    const scales = { learningRate, decay: this.#statistics ? decay / this.#statistics.mean : decay, epsilon };
    const kernels = fusedKernels();
    if (kernels) updateInPlace(kernels, parameter, trained, roots, scales);
    else updateComposed(parameter, trained, roots, scales);
    parameter.clearGradient();
  }
}

/** decay: λ, or λ / mean(R) where there are roots. */
type UpdateScales = Pick<DynamicEvaluation, 'learningRate' | 'decay' | 'epsilon'>;

/** One pass over the weights, and one over the few rows of a gradient of rows. */
function updateInPlace(
  kernels: NativeKernels,
  parameter: Parameter,
  trained: tf.Tensor,
  roots: tf.Tensor | null,
  scales: UpdateScales,
): void {
  const { gradient, value } = parameter;
  const dense = gradient.kind === 'dense' ? gradient.value : null;
  kernels.adapt({ value, trained, gradient: dense, roots, ...scales });
  if (gradient.kind === 'rows') {
    const { ids, rows } = gradient.rows;
    tf.tidy(() => {
      const indices = tf.tensor1d(ids, 'int32');
      const step = roots
        ? tf.div(scales.learningRate, tf.add(tf.gather(roots, indices), scales.epsilon))
        : tf.scalar(scales.learningRate);
      kernels.scatterAddRows({ table: value, ids: indices, rows: tf.mul(rows, step), factor: -1 });
    });
  }
  parameter.markChanged();
}

function updateComposed(
  parameter: Parameter,
  trained: tf.Tensor,
  roots: tf.Tensor | null,
  { learningRate, decay, epsilon }: UpdateScales,
): void {
  const { gradient, shape } = parameter;
  const value = tf.tidy(() => {
    const dense = gradient.kind === 'dense' ? gradient.value : rowsToTable(gradient.rows, shape);
    const step = roots ? tf.div(learningRate, tf.add(roots, epsilon)) : learningRate;
    const pull = roots ? tf.minimum(tf.mul(roots, decay), 1) : decay;
    const back = tf.mul(tf.sub(trained, parameter.value), pull);
    return tf.add(parameter.value, tf.sub(back, tf.mul(dense, step)));
  });
  parameter.assign(value);
}

/**
 * Reads a text as one stream with a {@link DynamicModel}.
 * @param ids the whole text; its first token is only read, not predicted
 * @param statistics needed by rms
 * @param cache is mixed into the predictions, as Krause et al. 2018 report it
 * @throws corpus-too-short
 */
export function evaluateDynamically(
  model: LanguageModel,
  ids: Int32Array,
  options: DynamicEvaluation,
  statistics: GradientStatistics | null,
  cache: NeuralCache | null = null,
): Evaluation {
  const tokens = ids.length - 1;
  const learner = new DynamicModel(model, options, statistics);
  const mixer = cache ? new CacheMixer(cache) : null;
  let total = 0;
  try {
    for (const segment of evaluationBatches(ids, { batchSize: 1, bpttLength: options.segmentLength })) {
      const { losses, hiddens } = learner.read(segment);
      for (const loss of mixer?.mix(losses, hiddens, segment.targets) ?? losses) total += loss;
      if (!mixer) hiddens.dispose();
    }
  } finally {
    mixer?.dispose();
    learner.dispose();
  }
  const loss = total / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

/** What the search tries, for segments of 5 tokens; other lengths scale all values alike. */
const GRIDS = {
  rms: { learningRates: [0.00002, 0.00005, 0.0001, 0.0002, 0.0004], decays: [0.0005, 0.002, 0.005] },
  sgd: { learningRates: [0.02, 0.05, 0.1, 0.2, 0.5], decays: [0, 0.001] },
} as const;
const GRID_SEGMENT_LENGTH = 5;

/**
 * The learning rate with the lowest loss on a text, such as a part of the valid split, at the decay that is given; then
 * the decay with the lowest loss at that learning rate.
 * @throws corpus-too-short
 */
export function searchDynamicEvaluation(
  model: LanguageModel,
  ids: Int32Array,
  start: DynamicEvaluation,
  statistics: GradientStatistics | null,
): { readonly options: DynamicEvaluation; readonly evaluation: Evaluation } {
  const scale = start.segmentLength / GRID_SEGMENT_LENGTH;
  const { learningRates, decays } = GRIDS[start.rule];
  const measure = (options: DynamicEvaluation) => ({
    options,
    evaluation: evaluateDynamically(model, ids, options, statistics),
  });
  const better = (a: ReturnType<typeof measure>, b: ReturnType<typeof measure>) =>
    b.evaluation.loss < a.evaluation.loss ? b : a;
  const byLearningRate = learningRates
    .map((learningRate) => measure({ ...start, learningRate: learningRate * scale }))
    .reduce(better);
  const others = decays.map((decay) => Math.min(1, decay * scale)).filter((decay) => decay !== start.decay);
  return others.map((decay) => measure({ ...byLearningRate.options, decay })).reduce(better, byLearningRate);
}
