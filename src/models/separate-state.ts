import type { LanguageModel } from './language-model.js';
import type { State } from './state.js';

/**
 * A past of a reader's own. The model has it only while {@link use} runs, so that several readers can take turns on one
 * model, each going on where it was.
 */
export class SeparateState {
  readonly #model: Pick<LanguageModel, 'takeState' | 'putState'>;
  #state: State | null;

  /** @param state where to go on, taken over; null = no past */
  constructor(model: Pick<LanguageModel, 'takeState' | 'putState'>, state: State | null = null) {
    this.#model = model;
    this.#state = state;
  }

  /** Runs on this past, which goes on; the model's own is as before afterwards. */
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

  /** Another one that goes on from the same past. */
  copy(): SeparateState {
    return new SeparateState(this.#model, this.#state?.copy() ?? null);
  }

  /** Goes on from what `body` makes of the past, such as some of its streams; the past itself is disposed. */
  replace(body: (state: State) => State | null): void {
    const state = this.take();
    if (!state) return;
    this.#state = body(state);
    state.dispose();
  }

  /** Gives the past to the caller; there is none then. */
  take(): State | null {
    const state = this.#state;
    this.#state = null;
    return state;
  }

  dispose(): void {
    this.take()?.dispose();
  }
}
