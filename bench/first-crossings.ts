/** An evaluation of valid during a training. */
export interface CurvePoint {
  readonly step: number;
  /** Epochs so far, with the part of the present one. */
  readonly epoch: number;
  /** Of the steps so far, without evaluations. */
  readonly seconds: number;
  readonly validPerplexity: number;
}

export interface Crossing {
  readonly target: number;
  /** The first evaluation at or below the target; null: there is none. */
  readonly at: CurvePoint | null;
}

/** Where a curve first reaches each target, in the order of the targets. */
export function firstCrossings(curve: readonly CurvePoint[], targets: readonly number[]): Crossing[] {
  return targets.map((target) => ({
    target,
    at: curve.find(({ validPerplexity }) => validPerplexity <= target) ?? null,
  }));
}
