import { Parameter } from '../../src/layers/parameter.js';
import type { RecurrentCell } from '../../src/layers/recurrent-cell.js';
import { RecurrentLayer } from '../../src/layers/recurrent-layer.js';
import { LSTM } from '../../src/layers/time-lstm.js';
import { RandomSource } from '../../src/tensor/random.js';
import type { Tensor } from '../../src/tensor/tensorflow.js';
import { testKernels } from './backend.js';

export interface TestLayerOptions {
  readonly weightDrop?: number;
  readonly random?: RandomSource;
  readonly cell?: RecurrentCell;
}

/** A layer on the kernels of the test, in float32. @param weights by the cell's names; become parameters of its own */
export function recurrentLayer(
  sizes: { readonly inputSize: number; readonly hiddenSize: number },
  weights: Readonly<Record<string, Tensor | Parameter>>,
  { weightDrop = 0, random = new RandomSource(1, 2), cell = LSTM }: TestLayerOptions = {},
): RecurrentLayer {
  const parameters = Object.entries(weights).map(([name, weight]) => [
    name,
    weight instanceof Parameter ? weight : new Parameter(name, weight),
  ]);
  const options = { kernels: testKernels(), weightDrop, random, bfloat16: false };
  return new RecurrentLayer(cell.name, cell, Object.fromEntries(parameters), sizes, options);
}
