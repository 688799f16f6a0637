import type { Parameter } from '../layers/parameter.js';
import { fusedKernels } from '../tensor/backend.js';
import { addRowsToTable, type RowGradient, rowsToTable } from '../tensor/row-gradient.js';
import * as tf from '../tensor/tensorflow.js';
import type { Optimizer, OptimizerScalars, UpdateScales } from './optimizer.js';

/** Averages that an update carries on in the same pass over the weights: average += (value − average) · coefficient. */
export interface RunningAverages {
  readonly coefficient: number;
  get(parameter: Parameter): tf.Tensor;
  /** Takes an average that is a new tensor; kernels work in place instead. */
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
  readonly weightDecay: number;

  constructor(options: { readonly weightDecay: number }) {
    this.weightDecay = options.weightDecay;
  }

  step(parameters: readonly Parameter[], scales: UpdateScales): void {
    updateBySgd(parameters, scales, this.weightDecay, null);
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
    else if (weightDecay === 0 && !averages) updateRows(parameter, gradient.rows, scales);
    else {
      const table = rowsToTable(gradient.rows, parameter.shape);
      tables.push(table);
      dense.push({ parameter, gradient: table });
    }
  }
  updateDense(dense, scales, weightDecay, averages);
  tf.dispose(tables);
  for (const parameter of parameters) parameter.clearGradient();
}

interface DenseUpdate {
  readonly parameter: Parameter;
  readonly gradient: tf.Tensor;
}

function updateDense(
  updates: readonly DenseUpdate[],
  { learningRate, gradientScale }: UpdateScales,
  weightDecay: number,
  averages: RunningAverages | null,
): void {
  const kernels = fusedKernels();
  if (kernels && updates.length > 0) {
    kernels.sgd({
      updates: updates.map(({ parameter, gradient }) => ({
        value: parameter.value,
        gradient,
        average: averages?.get(parameter),
      })),
      learningRate,
      gradientScale,
      weightDecay,
      ...(averages && { averageCoefficient: averages.coefficient }),
    });
    for (const { parameter } of updates) parameter.markChanged();
    return;
  }
  for (const { parameter, gradient } of updates) {
    parameter.assign(
      tf.tidy(() => {
        const decay = tf.mul(parameter.value, weightDecay);
        return tf.sub(parameter.value, tf.mul(tf.add(tf.mul(gradient, gradientScale), decay), learningRate));
      }),
    );
    if (!averages) continue;
    const average = averages.get(parameter);
    const { coefficient } = averages;
    averages.set(
      parameter,
      tf.tidy(() => tf.add(average, tf.mul(tf.sub(parameter.value, average), coefficient))),
    );
  }
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
