const MAX_CHARACTERS = 4_000_000;

/** Answers that are made of the store alone, kept until something is written to it: many dashboards ask for the same at once. */
export class AnswerCache {
  readonly #changeCount: () => number;
  readonly #answers = new Map<string, string>();
  #characters = 0;
  #madeAt = -1;

  /** @param changeCount see Store */
  constructor(changeCount: () => number) {
    this.#changeCount = changeCount;
  }

  /** @param key all that the answer depends on beside the store */
  answer(key: string, make: () => string): string {
    const now = this.#changeCount();
    if (now !== this.#madeAt || this.#characters > MAX_CHARACTERS) this.#clear(now);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#answers.set(key, made);
    this.#characters += made.length;
    return made;
  }

  #clear(now: number): void {
    this.#answers.clear();
    this.#characters = 0;
    this.#madeAt = now;
  }
}
