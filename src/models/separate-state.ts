import type { LanguageModel } from './language-model.js';
import type { State } from './state.js';

/**
 * A state for one reader. The model has it only while {@link use} runs, so that several readers can share one model, each
 * continuing where it stopped.
 */
export class SeparateState {
  readonly #model: Pick<LanguageModel, 'takeState' | 'putState'>;
  #state: State | null;

  /** @param state the state to continue from, owned by this; null = none */
  constructor(model: Pick<LanguageModel, 'takeState' | 'putState'>, state: State | null = null) {
    this.#model = model;
    this.#state = state;
  }

  /** Runs with this state and keeps the new one; the model's own state is restored afterwards. */
  use<Result>(body: () => Result): Result {
    const own = this.#model.takeState();
    this.#model.putState(this.take());
    try {
      return body();
    } finally {
      this.#state = this.#model.takeState();
      this.#model.putState(own);
    }
  }

  /** A copy that continues from the same state. */
  copy(): SeparateState {
    return new SeparateState(this.#model, this.#state?.copy() ?? null);
  }

  /** Replaces the state by the result of `body`, such as some of its streams; disposes the old state. */
  replace(body: (state: State) => State | null): void {
    const state = this.take();
    if (!state) return;
    this.#state = body(state);
    state.dispose();
  }

  /** Passes ownership of the state to the caller; this has none afterwards. */
  take(): State | null {
    const state = this.#state;
    this.#state = null;
    return state;
  }

  dispose(): void {
    this.take()?.dispose();
  }
}
