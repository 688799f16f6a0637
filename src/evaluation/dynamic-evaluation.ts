import { evaluationBatches } from '../corpus/batch-iterator.js';
import { appError } from '../errors.js';
import type { Parameter } from '../layers/parameter.js';
import type { LanguageModel } from '../models/language-model.js';
import { rowsToTable } from '../tensor/row-gradient.js';
import * as tf from '../tensor/tensorflow.js';
import type { Evaluation } from './evaluate.js';
import type { GradientStatistics } from './gradient-statistics.js';

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
 * Reads a text as one stream and learns from each segment s after it was predicted. θ is a copy of the trained weights
 * θ_g, which stay as they are.
 *
 *     sgd: θ ← θ − η · ∇L(s) + λ · (θ_g − θ)
 *     rms: θ ← θ − η · ∇L(s) / (R + ε) + min(λ · R / mean(R), 1) · (θ_g − θ)
 *
 * L(s): mean loss of the segment's tokens, without dropout; R: root mean square of the gradients on the train split, see
 * gradient-statistics.ts; mean(R): the mean over the parameters of the mean of each, as in the authors' program. The
 * state flows on from segment to segment, the gradient does not. sgd with λ = 0 is plain SGD.
 *
 * Reference: Krause, Kahembwe, Murray and Renals 2018, arXiv 1709.07432, equations 5 to 11.
 * @param ids the whole text; its first token is only read, not predicted
 * @param statistics needed by rms
 * @throws corpus-too-short
 */
export function evaluateDynamically(
  model: LanguageModel,
  ids: Int32Array,
  options: DynamicEvaluation,
  statistics: GradientStatistics | null,
): Evaluation {
  const { segmentLength } = options;
  const rates = updateRates(model.parameters, options, statistics);
  const learner = model.copyWithoutDropout();
  let total = 0;
  try {
    for (const segment of evaluationBatches(ids, { batchSize: 1, bpttLength: segmentLength })) {
      const losses = learner.accumulateGradients(segment, {
        gradientScale: 1 / segment.time,
        activationRegularization: 0,
        temporalActivationRegularization: 0,
      });
      for (const loss of losses) total += loss;
      learner.parameters.forEach((parameter, index) => {
        update(parameter, model.parameters[index]!.value, rates[index]!);
      });
    }
  } finally {
    for (const { step, pull } of rates) tf.dispose([step, pull]);
    learner.dispose();
  }
  const tokens = ids.length - 1;
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

/** The factors of the two terms of an update; of the parameter's shape, or scalars. */
interface UpdateRates {
  /** Of the gradient. */
  readonly step: tf.Tensor;
  /** Of the way back, 0 … 1. */
  readonly pull: tf.Tensor;
}

function updateRates(
  parameters: readonly Parameter[],
  { rule, learningRate, decay, epsilon }: DynamicEvaluation,
  statistics: GradientStatistics | null,
): UpdateRates[] {
  if (rule === 'sgd')
    return parameters.map(() => ({ step: tf.scalar(learningRate), pull: tf.scalar(decay) }));
  if (!statistics) throw appError('internal', { reference: 'dynamic evaluation by rms without statistics' });
  return parameters.map(({ name }) => {
    const root = statistics.rootMeanSquare(name);
    return tf.tidy(() => ({
      step: tf.div(learningRate, tf.add(root, epsilon)),
      pull: tf.minimum(tf.mul(root, decay / statistics.mean), 1),
    }));
  });
}

/** One update of one parameter of the copy; clears its gradient. @param trained θ_g, borrowed */
function update(parameter: Parameter, trained: tf.Tensor, { step, pull }: UpdateRates): void {
  const gradient = parameter.gradient;
  const value = tf.tidy(() => {
    const dense = gradient.kind === 'dense' ? gradient.value : rowsToTable(gradient.rows, parameter.shape);
    const back = tf.mul(tf.sub(trained, parameter.value), pull);
    return tf.add(parameter.value, tf.sub(back, tf.mul(dense, step)));
  });
  parameter.assign(value);
  parameter.clearGradient();
}
