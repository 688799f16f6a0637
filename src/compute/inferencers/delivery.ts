import type { RunOptions } from '../inference-executor.js';

/** The options of a task, and whether it has delivered a part or read input: then it cannot begin anew. */
export class Delivery<Part> {
  readonly options: RunOptions<Part>;
  #hasBegun = false;

  constructor({ onPart, input, ...options }: RunOptions<Part>) {
    const begin = () => {
      this.#hasBegun = true;
    };
    this.options = {
      ...options,
      ...(onPart && {
        onPart: (part: Part) => {
          begin();
          return onPart(part);
        },
      }),
      ...(input && {
        input: {
          next: () => {
            begin();
            return input.next();
          },
        },
      }),
    };
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }
}
