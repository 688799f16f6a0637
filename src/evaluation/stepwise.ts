import type { EvaluationProgress } from '../contracts/evaluation.js';
import { perplexityOf } from '../contracts/figures.js';

/**
 * A computation that can be left and taken up between its steps, so that others get their turn, and that can be given up:
 * `return()` frees what it holds.
 */
export type Stepwise<Result, Step = EvaluationProgress> = Generator<Step, Result, undefined>;

/** All steps at once. */
export function runToEnd<Result>(steps: Stepwise<Result, unknown>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Counts what was read, and says how far it is. */
export class EvaluationCount {
  readonly #phase: EvaluationProgress['phase'];
  readonly #totalTokens: number;
  #loss = 0;
  #tokens = 0;

  /** @param totalTokens that will be predicted, at most */
  constructor(phase: EvaluationProgress['phase'], totalTokens: number) {
    this.#phase = phase;
    this.#totalTokens = totalTokens;
  }

  /** @param losses nats, one a token */
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

  /** The mean over what was read. */
  get result(): { loss: number; perplexity: number | null; tokens: number } {
    const loss = this.#loss / this.#tokens;
    return { loss, perplexity: perplexityOf(loss), tokens: this.#tokens };
  }
}
