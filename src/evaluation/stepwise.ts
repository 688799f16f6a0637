import type { EvaluationProgress } from '../contracts/evaluation.js';
import { perplexityOf } from '../contracts/figures.js';

/**
 * A computation that can be suspended between its steps, so that other tasks can run, and that can be cancelled:
 * `return()` releases its resources.
 */
export type Stepwise<Result, Step = EvaluationProgress> = Generator<Step, Result, undefined>;

/** Runs all steps without interruption. */
export function runToEnd<Result>(steps: Stepwise<Result, unknown>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Sums losses and reports progress. */
export class EvaluationCount {
  readonly #phase: EvaluationProgress['phase'];
  readonly #totalTokens: number;
  #loss = 0;
  #tokens = 0;

  /** @param totalTokens maximum number of predictions */
  constructor(phase: EvaluationProgress['phase'], totalTokens: number) {
    this.#phase = phase;
    this.#totalTokens = totalTokens;
  }

  /** @param losses nats per token */
  add(losses: Float32Array | Float64Array): void {
    for (const loss of losses) this.#loss += loss;
    this.#tokens += losses.length;
  }

  get progress(): EvaluationProgress {
    return {
      phase: this.#phase,
      tokens: this.#tokens,
      totalTokens: this.#totalTokens,
      perplexity: this.#tokens > 0 ? perplexityOf(this.#loss / this.#tokens) : null,
    };
  }

  /** The mean over all predictions so far. */
  get result(): { loss: number; perplexity: number | null; tokens: number } {
    const loss = this.#loss / this.#tokens;
    return { loss, perplexity: perplexityOf(loss), tokens: this.#tokens };
  }
}
