import type { Parameter } from '../layers/parameter.js';
import { fusedKernels } from '../tensor/backend.js';
import { addRowsToTable, type RowGradient, rowsToTable } from '../tensor/row-gradient.js';
import * as tf from '../tensor/tensorflow.js';
import type { Optimizer, OptimizerScalars, UpdateScales } from './optimizer.js';

/** An average that an update carries on in the same pass over the weights: average += (value − average) · coefficient. */
export interface RunningAverage {
  readonly tensor: tf.Tensor;
  readonly coefficient: number;
}

/**
 * Stochastic gradient descent.
 *
 *     value −= learningRate · (gradient · gradientScale + weightDecay · value)
 *
 * The weight decay is added after clipping. A gradient of few rows touches only these rows.
 */
export class Sgd implements Optimizer {
  readonly weightDecay: number;

  constructor(options: { readonly weightDecay: number }) {
    this.weightDecay = options.weightDecay;
  }

  step(parameters: readonly Parameter[], scales: UpdateScales): void {
    for (const parameter of parameters) updateBySgd(parameter, scales, this.weightDecay, null);
  }

  afterEvaluation(): void {}

  evaluationValue(): null {
    return null;
  }

  slots(): ReadonlyMap<string, tf.Tensor> {
    return new Map();
  }

  scalars(): OptimizerScalars {
    return {};
  }

  restore(): void {}

  dispose(): void {}
}

/**
 * One update of one parameter; clears its gradient.
 * @returns the average after the update, in the caller's hands (the same tensor where the kernel works in place)
 */
export function updateBySgd(
  parameter: Parameter,
  scales: UpdateScales,
  weightDecay: number,
  average: RunningAverage | null,
): tf.Tensor | null {
  const gradient = parameter.gradient;
  let updated: tf.Tensor | null = null;
  if (gradient.kind === 'dense') {
    updated = updateDense(parameter, gradient.value, scales, weightDecay, average);
  } else if (weightDecay === 0 && !average) {
    updateRows(parameter, gradient.rows, scales);
  } else {
    const dense = rowsToTable(gradient.rows, parameter.shape);
    updated = updateDense(parameter, dense, scales, weightDecay, average);
    dense.dispose();
  }
  parameter.clearGradient();
  return updated;
}

function updateDense(
  parameter: Parameter,
  gradient: tf.Tensor,
  { learningRate, gradientScale }: UpdateScales,
  weightDecay: number,
  average: RunningAverage | null,
): tf.Tensor | null {
  const kernels = fusedKernels();
  if (kernels) {
    kernels.sgd({
      value: parameter.value,
      gradient,
      learningRate,
      gradientScale,
      weightDecay,
      ...(average && { average: average.tensor, averageCoefficient: average.coefficient }),
    });
    parameter.markChanged();
    return average?.tensor ?? null;
  }
  parameter.assign(
    tf.tidy(() => {
      const decay = tf.mul(parameter.value, weightDecay);
      return tf.sub(parameter.value, tf.mul(tf.add(tf.mul(gradient, gradientScale), decay), learningRate));
    }),
  );
  if (!average) return null;
  return tf.tidy(() =>
    tf.add(average.tensor, tf.mul(tf.sub(parameter.value, average.tensor), average.coefficient)),
  );
}

function updateRows(
  parameter: Parameter,
  gradient: RowGradient,
  { learningRate, gradientScale }: UpdateScales,
): void {
  const kernels = fusedKernels();
  if (kernels) {
    tf.tidy(() => {
      const ids = tf.tensor1d(gradient.ids, 'int32');
      const rows = gradient.rows;
      kernels.scatterAddRows({ table: parameter.value, ids, rows, factor: -learningRate * gradientScale });
    });
    parameter.markChanged();
    return;
  }
  const rows = tf.mul(gradient.rows, -learningRate * gradientScale) as tf.Tensor2D;
  parameter.assign(addRowsToTable(parameter.value.clone(), { ...gradient, rows }));
  rows.dispose();
}
