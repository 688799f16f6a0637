import type { Kernels, RowGradient } from '../kernels/kernels.js';
import { rowsToTable } from '../kernels/row-gradient.js';
import type { Parameter } from '../layers/parameter.js';
import * as tf from '../tensor/tensorflow.js';
import type { Optimizer, OptimizerScalars, UpdateScales } from './optimizer.js';

/** Averages that an update carries on in the same pass over the weights: average += (value − average) · coefficient. */
export interface RunningAverages {
  readonly coefficient: number;
  get(parameter: Parameter): tf.Tensor;
  /** Takes an average, which may be the tensor that it was. */
  set(parameter: Parameter, average: tf.Tensor): void;
}

/**
 * Stochastic gradient descent.
 *
 *     value −= learningRate · (gradient · gradientScale + weightDecay · value)
 *
 * The weight decay is added after clipping. A gradient of few rows touches only these rows.
 */
export class Sgd implements Optimizer {
  readonly slotsPerParameter = 0;
  readonly weightDecay: number;
  readonly #kernels: Kernels;

  constructor(options: { readonly weightDecay: number }, kernels: Kernels) {
    this.weightDecay = options.weightDecay;
    this.#kernels = kernels;
  }

  step(parameters: readonly Parameter[], scales: UpdateScales): void {
    updateBySgd(this.#kernels, parameters, scales, this.weightDecay, null);
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
 * One update of each parameter; clears their gradients.
 * @param averages go on with all of them, or null
 */
export function updateBySgd(
  kernels: Kernels,
  parameters: readonly Parameter[],
  scales: UpdateScales,
  weightDecay: number,
  averages: RunningAverages | null,
): void {
  const dense: DenseUpdate[] = [];
  const tables: tf.Tensor[] = []; // of gradients that have only some rows
  for (const parameter of parameters) {
    const { gradient } = parameter;
    if (gradient.kind === 'dense') dense.push({ parameter, gradient: gradient.value });
    else if (weightDecay === 0 && !averages) updateRows(kernels, parameter, gradient.rows, scales);
    else {
      const table = rowsToTable(kernels, gradient.rows, parameter.shape);
      tables.push(table);
      dense.push({ parameter, gradient: table });
    }
  }
  updateDense(kernels, dense, scales, weightDecay, averages);
  tf.dispose(tables);
  for (const parameter of parameters) parameter.clearGradient();
}

interface DenseUpdate {
  readonly parameter: Parameter;
  readonly gradient: tf.Tensor;
}

function updateDense(
  kernels: Kernels,
  updates: readonly DenseUpdate[],
  scales: UpdateScales,
  weightDecay: number,
  averages: RunningAverages | null,
): void {
  const results = kernels.sgd({
    updates: updates.map(({ parameter, gradient }) => ({
      value: parameter.value,
      gradient,
      average: averages?.get(parameter),
    })),
    ...scales,
    weightDecay,
    ...(averages && { averageCoefficient: averages.coefficient }),
  });
  for (const [index, { parameter }] of updates.entries()) {
    const { value, average } = results[index]!;
    parameter.assign(value);
    if (averages && average) averages.set(parameter, average);
  }
}

function updateRows(
  kernels: Kernels,
  parameter: Parameter,
  gradient: RowGradient,
  { learningRate, gradientScale }: UpdateScales,
): void {
  parameter.assign(kernels.addRows(parameter.value, gradient, -learningRate * gradientScale));
}
