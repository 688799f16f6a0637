/**
 * Updates the weights. One call of `step` is one update; it uses the gradients accumulated in the parameters
 * and clears them.
 */
import type { Parameter } from '../layers/parameter.js';
import type { Tensor } from '../tensor/tensorflow.js';

export interface UpdateScales {
  readonly learningRate: number;
  /** Multiplies every gradient: what clipping by the joint norm leaves of it. */
  readonly gradientScale: number;
}

/** Plain numbers that an optimizer remembers between steps. */
export type OptimizerScalars = Readonly<Record<string, number | readonly number[]>>;

export interface Optimizer {
  /** Tensors of a parameter's size that it keeps beside each, at most. */
  readonly slotsPerParameter: number;
  step(parameters: readonly Parameter[], scales: UpdateScales): void;
  /** Called after each epoch. @param validLoss in nats per token */
  afterEvaluation(validLoss: number, parameters: readonly Parameter[]): void;
  /** The value to evaluate and to serve instead of the parameter's own, such as its average; borrowed. */
  evaluationValue(parameter: Parameter): Tensor | null;
  /** Tensors that a checkpoint must hold, by name; borrowed. */
  slots(): ReadonlyMap<string, Tensor>;
  scalars(): OptimizerScalars;
  /** The inverse of the two above. Takes ownership of the tensors. */
  restore(scalars: OptimizerScalars, slots: ReadonlyMap<string, Tensor>): void;
  dispose(): void;
}

/**
 * Runs `body` while the parameters hold their evaluation values; afterwards they hold their own again.
 * Nothing is copied.
 */
export function withEvaluationValues<Result>(
  optimizer: Optimizer,
  parameters: readonly Parameter[],
  body: () => Result,
): Result {
  const own = parameters.map((parameter) => {
    const value = optimizer.evaluationValue(parameter);
    return value && parameter.exchange(value);
  });
  try {
    return body();
  } finally {
    parameters.forEach((parameter, index) => {
      const value = own[index];
      if (value) parameter.exchange(value);
    });
  }
}
