import type { TaskInput } from '../../contracts/jobs.js';

/** The pieces of a streamed text, as they arrive. */
export class InputQueue implements AsyncIterator<string, undefined, undefined> {
  readonly #pieces: TaskInput[] = [];
  #wake: () => void = () => {};

  /** @param piece null = end of the text */
  push(piece: TaskInput): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    while (this.#pieces.length === 0)
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    const piece = this.#pieces.shift()!;
    return piece === null ? { done: true, value: undefined } : { done: false, value: piece };
  }
}
