import type { LanguageModel } from '../src/models/language-model.js';
import * as tf from '../src/tensor/tensorflow.js';

/** A moving average of the weights of a model, to be evaluated in their place. */
export class WeightAverage {
  readonly #model: LanguageModel;
  readonly #decay: number;
  #steps = 0;
  #averages: tf.Tensor[];

  constructor(model: LanguageModel, decay: number) {
    this.#model = model;
    this.#decay = decay;
    this.#averages = model.parameters.map(({ value }) => tf.zerosLike(value));
  }

  /** Takes the weights after a step. The first steps are averaged evenly, so that the zeros do not count. */
  add(): void {
    this.#steps += 1;
    const share = Math.max(1 - this.#decay, 1 / this.#steps);
    this.#averages = this.#model.parameters.map(({ value }, index) => {
      const old = this.#averages[index]!;
      const average = tf.tidy(() => tf.add(tf.mul(old, 1 - share), tf.mul(value, share)));
      old.dispose();
      return average;
    });
  }

  /** Runs `body` while the model has the averages as its weights. */
  use<Result>(body: () => Result): Result {
    const own = this.#model.parameters.map((parameter, index) => parameter.exchange(this.#averages[index]!));
    try {
      return body();
    } finally {
      this.#model.parameters.forEach((parameter, index) => {
        parameter.exchange(own[index]!);
      });
    }
  }

  dispose(): void {
    for (const average of this.#averages) average.dispose();
  }
}
