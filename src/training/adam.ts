import type { Kernels } from '../kernels/kernels.js';
import { rowsToTable } from '../kernels/row-gradient.js';
import type { Parameter } from '../layers/parameter.js';
import type * as tf from '../tensor/tensorflow.js';
import type { Optimizer, OptimizerScalars, UpdateScales } from './optimizer.js';
import { Slots } from './slots.js';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** true: AdamW, the decay acts on the weights; false: Adam, it is added to the gradient. */
  readonly decoupled: boolean;
}

/**
 * Adam, and AdamW where the weight decay is decoupled.
 *
 *     m = β₁·m + (1 − β₁)·g        v = β₂·v + (1 − β₂)·g²
 *     value −= learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 *
 * References: Kingma and Ba 2015, arXiv 1412.6980; Loshchilov and Hutter 2019, arXiv 1711.05101.
 */
export class Adam implements Optimizer {
  readonly slotsPerParameter = 2;
  readonly options: AdamOptions;
  readonly #kernels: Kernels;
  readonly #m = new Slots('m');
  readonly #v = new Slots('v');
  #steps = 0;

  /** β₁ and β₂ become float32, as the kernels have them: 1 − β and the corrections must be of the very same numbers. */
  constructor(options: AdamOptions, kernels: Kernels) {
    this.#kernels = kernels;
    this.options = { ...options, beta1: Math.fround(options.beta1), beta2: Math.fround(options.beta2) };
  }

  step(parameters: readonly Parameter[], scales: UpdateScales): void {
    this.#steps += 1;
    for (const parameter of parameters) {
      const gradient = parameter.gradient;
      const dense =
        gradient.kind === 'dense'
          ? gradient.value
          : rowsToTable(this.#kernels, gradient.rows, parameter.shape);
      this.#update(parameter, dense, scales);
      if (gradient.kind === 'rows') dense.dispose();
      parameter.clearGradient();
    }
  }

  afterEvaluation(): void {}

  evaluationValue(): null {
    return null;
  }

  slots(): ReadonlyMap<string, tf.Tensor> {
    return new Map([...this.#m.entries(), ...this.#v.entries()]);
  }

  scalars(): OptimizerScalars {
    return { steps: this.#steps };
  }

  restore(scalars: OptimizerScalars, slots: ReadonlyMap<string, tf.Tensor>): void {
    this.#steps = scalars.steps as number;
    this.#m.restore(slots);
    this.#v.restore(slots);
  }

  dispose(): void {
    this.#m.dispose();
    this.#v.dispose();
  }

  #update(parameter: Parameter, gradient: tf.Tensor, { learningRate, gradientScale }: UpdateScales): void {
    const { beta1, beta2 } = this.options;
    const next = this.#kernels.adam({
      ...this.options,
      value: parameter.value,
      m: this.#m.get(parameter),
      v: this.#v.get(parameter),
      gradient,
      learningRate,
      gradientScale,
      correction1: 1 - beta1 ** this.#steps,
      correction2: 1 - beta2 ** this.#steps,
    });
    this.#m.set(parameter, next.m);
    this.#v.set(parameter, next.v);
    parameter.assign(next.value);
  }
}
