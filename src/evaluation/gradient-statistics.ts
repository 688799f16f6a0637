import { BatchIterator } from '../corpus/batch-iterator.js';
import type { LanguageModel } from '../models/language-model.js';
import { rowsToTable } from '../tensor/row-gradient.js';
import * as tf from '../tensor/tensorflow.js';

/** Segments read side by side, as in the authors' program. */
const STREAMS = 100;

export interface GradientStatisticsOptions {
  /** Tokens of a segment. */
  readonly segmentLength: number;
  /** Batches of 100 segments; null = all of the text. */
  readonly batches: number | null;
}

/**
 * How large the gradients of each weight are on the train split: what dynamic evaluation scales its updates by.
 *
 *     R = √(1/K · Σ_k (∇L_k)²)        element by element, over K batches
 *
 * L_k: mean loss of the tokens of batch k, 100 segments side by side (fewer where the text is short), without dropout.
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

  /** Reads the text once, from its beginning. @param ids the train split @throws corpus-too-short */
  static collect(
    model: LanguageModel,
    ids: Int32Array,
    { segmentLength, batches }: GradientStatisticsOptions,
  ): GradientStatistics {
    const copy = model.copyWithoutDropout();
    const text = new BatchIterator(ids, { batchSize: Math.min(STREAMS, ids.length - 1) });
    const sums = copy.parameters.map(({ value }) => tf.zerosLike(value));
    let count = 0;
    for (let batch = text.next(segmentLength); batch && count !== batches; batch = text.next(segmentLength)) {
      copy.accumulateGradients(batch, {
        gradientScale: 1 / batch.targets.length,
        activationRegularization: 0,
        temporalActivationRegularization: 0,
      });
      for (const [index, parameter] of copy.parameters.entries()) {
        const old = sums[index]!;
        sums[index] = tf.tidy(() => {
          const { gradient, shape } = parameter;
          return tf.add(
            old,
            tf.square(gradient.kind === 'dense' ? gradient.value : rowsToTable(gradient.rows, shape)),
          );
        });
        old.dispose();
        parameter.clearGradient();
      }
      count += 1;
    }
    const roots = new Map<string, tf.Tensor>();
    for (const [index, { name }] of copy.parameters.entries()) {
      const sum = sums[index]!;
      roots.set(
        name,
        tf.tidy(() => tf.sqrt(tf.div(sum, count))),
      );
      sum.dispose();
    }
    copy.dispose();
    return new GradientStatistics(roots);
  }

  /** R of a parameter; borrowed. */
  rootMeanSquare(parameterName: string): tf.Tensor {
    return this.#roots.get(parameterName)!;
  }

  dispose(): void {
    for (const root of this.#roots.values()) root.dispose();
  }
}
