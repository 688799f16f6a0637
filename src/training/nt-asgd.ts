import type { Kernels } from '../kernels/kernels.js';
import type { Parameter } from '../layers/parameter.js';
import type { Tensor } from '../tensor/tensorflow.js';
import type { Optimizer, OptimizerScalars, UpdateScales } from './optimizer.js';
import { updateBySgd } from './sgd.js';
import { Slots } from './slots.js';

export interface NtAsgdOptions {
  readonly weightDecay: number;
  /** n: averaging starts when a validation loss is worse than the best of all but the last n. */
  readonly nonMonotoneInterval: number;
}

/**
 * Non-monotonically triggered averaged SGD: SGD at a constant learning rate, until the validation loss has not improved
 * for n evaluations; from then on the mean of all iterates is what is evaluated and served, while the updates go on from
 * the last iterate.
 *
 * Reference: Merity, Keskar and Socher 2017, arXiv 1708.02182, algorithm 1.
 */
export class NtAsgd implements Optimizer {
  readonly slotsPerParameter = 1;
  readonly options: NtAsgdOptions;
  readonly #kernels: Kernels;
  readonly #averages = new Slots('average');
  #validLosses: number[] = [];
  #averagedSteps = 0;
  #averaging = false;

  constructor(options: NtAsgdOptions, kernels: Kernels) {
    this.options = options;
    this.#kernels = kernels;
  }

  /** Whether the average is being kept. */
  get isAveraging(): boolean {
    return this.#averaging;
  }

  step(parameters: readonly Parameter[], scales: UpdateScales): void {
    if (this.#averaging) this.#averagedSteps += 1;
    const averages = this.#averaging && {
      coefficient: 1 / this.#averagedSteps,
      get: (parameter: Parameter) => this.#averages.get(parameter),
      set: (parameter: Parameter, average: Tensor) => this.#averages.set(parameter, average),
    };
    updateBySgd(this.#kernels, parameters, scales, this.options.weightDecay, averages || null);
  }

  afterEvaluation(validLoss: number, parameters: readonly Parameter[]): void {
    const old = this.#validLosses.slice(0, -this.options.nonMonotoneInterval);
    if (!this.#averaging && old.length > 0 && validLoss > Math.min(...old)) {
      this.#averaging = true;
      for (const parameter of parameters) this.#averages.get(parameter); // zeros: the first step replaces them
    }
    this.#validLosses.push(validLoss);
  }

  evaluationValue(parameter: Parameter): Tensor | null {
    return this.#averagedSteps > 0 ? this.#averages.find(parameter) : null;
  }

  slots(): ReadonlyMap<string, Tensor> {
    return new Map(this.#averages.entries());
  }

  scalars(): OptimizerScalars {
    return {
      validLosses: this.#validLosses,
      averagedSteps: this.#averagedSteps,
      averaging: this.#averaging ? 1 : 0,
    };
  }

  restore(scalars: OptimizerScalars, slots: ReadonlyMap<string, Tensor>): void {
    this.#validLosses = [...(scalars.validLosses as readonly number[])];
    this.#averagedSteps = scalars.averagedSteps as number;
    this.#averaging = scalars.averaging === 1;
    this.#averages.restore(slots);
  }

  dispose(): void {
    this.#averages.dispose();
  }
}
