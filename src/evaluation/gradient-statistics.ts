import { BatchIterator } from '../batches/batch-iterator.js';
import type { Kernels } from '../kernels/kernels.js';
import { rowsToTable } from '../kernels/row-gradient.js';
import type { Parameter } from '../layers/parameter.js';
import type { LanguageModel } from '../models/language-model.js';
import * as tf from '../tensor/tensorflow.js';
import { runToEnd, type Stepwise } from './stepwise.js';

/** Number of parallel segments, as in the authors' code. */
const STREAMS = 100;

export interface GradientStatisticsOptions {
  /** Tokens of a segment. */
  readonly segmentLength: number;
  /** Batches of 100 segments; null = the whole text. */
  readonly batches: number | null;
}

/**
 * The magnitude of the gradients of each weight on the train split, by which dynamic evaluation scales its updates.
 *
 *     R = √(1/K · Σ_k (∇L_k)²)        element-wise, over K batches
 *
 * L_k: mean loss of the tokens of batch k, 100 parallel segments (fewer if the text is short), without dropout.
 *
 * Reference: Krause et al. 2018, arXiv 1709.07432, equation 8.
 */
export class GradientStatistics {
  readonly #roots: ReadonlyMap<string, tf.Tensor>;
  /** The mean over the parameters of the mean of R of each. */
  readonly mean: number;

  private constructor(roots: ReadonlyMap<string, tf.Tensor>) {
    this.#roots = roots;
    const means = Array.from(roots.values(), (root) => tf.tidy(() => tf.mean(root).dataSync()[0]!));
    this.mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  }

  /** Reads the text once, from the start. @param ids the train split @throws corpus-too-short */
  static collect(
    model: LanguageModel,
    ids: Int32Array,
    options: GradientStatisticsOptions,
  ): GradientStatistics {
    return runToEnd(GradientStatistics.collectStepwise(model, ids, options));
  }

  /** {@link collect} batch by batch; the model is free between steps. */
  static *collectStepwise(
    model: LanguageModel,
    ids: Int32Array,
    { segmentLength, batches }: GradientStatisticsOptions,
  ): Stepwise<GradientStatistics> {
    const batchSize = Math.min(STREAMS, ids.length - 1);
    const text = new BatchIterator(ids, { batchSize });
    const perBatch = batchSize * segmentLength;
    const totalTokens = Math.min(ids.length - 1, (batches ?? Number.POSITIVE_INFINITY) * perBatch);
    const copy = model.copyWithoutDropout();
    const sums = copy.parameters.map(({ value }) => tf.zerosLike(value));
    let count = 0;
    try {
      for (
        let batch = text.next(segmentLength);
        batch && count !== batches;
        batch = text.next(segmentLength)
      ) {
        copy.accumulateGradients(batch, {
          gradientScale: 1 / batch.targets.length,
          activationRegularization: 0,
          temporalActivationRegularization: 0,
        });
        copy.parameters.forEach((parameter, index) => {
          const old = sums[index]!;
          sums[index] = addSquares(copy.kernels, old, parameter);
          old.dispose();
        });
        count += 1;
        const tokens = Math.min(count * perBatch, totalTokens);
        yield { phase: 'statistics', tokens, totalTokens, perplexity: null };
      }
      const roots = copy.parameters.map(
        ({ name }, index) => [name, tf.tidy(() => tf.sqrt(tf.div(sums[index]!, count)))] as const,
      );
      return new GradientStatistics(new Map(roots));
    } finally {
      tf.dispose(sums);
      copy.dispose();
    }
  }

  /** R of a parameter; borrowed. */
  rootMeanSquare(parameterName: string): tf.Tensor {
    return this.#roots.get(parameterName)!;
  }

  dispose(): void {
    for (const root of this.#roots.values()) root.dispose();
  }
}

/** Adds the squared gradient of a parameter to a sum and clears the gradient. @returns owned by the caller */
function addSquares(kernels: Kernels, sum: tf.Tensor, parameter: Parameter): tf.Tensor {
  const { gradient, shape } = parameter;
  const added = tf.tidy(() =>
    tf.add(
      sum,
      tf.square(gradient.kind === 'dense' ? gradient.value : rowsToTable(kernels, gradient.rows, shape)),
    ),
  );
  parameter.clearGradient();
  return added;
}
