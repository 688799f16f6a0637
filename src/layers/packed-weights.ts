import * as tf from '../tensor/tensorflow.js';
import type { Parameter } from './parameter.js';

/**
 * Weights in the layout of an inference kernel, packed again when the parameters have changed. Owns the tensors; disposed
 * when training resumes, so that training needs no memory for them.
 */
export class PackedWeights<Packed extends Readonly<Record<string, tf.Tensor>>> {
  readonly #parameters: readonly Parameter[];
  readonly #pack: () => Packed;
  #packed: Packed | null = null;
  #version = -1;

  constructor(parameters: readonly Parameter[], pack: () => Packed) {
    this.#parameters = parameters;
    this.#pack = pack;
  }

  /** Borrowed; valid until the parameters change. */
  get(): Packed {
    let version = 0; // a sum of numbers that only grow
    for (const parameter of this.#parameters) version += parameter.version;
    if (!this.#packed || version !== this.#version) {
      this.dispose();
      this.#packed = this.#pack();
      for (const tensor of Object.values(this.#packed)) tf.keep(tensor);
      this.#version = version;
    }
    return this.#packed;
  }

  dispose(): void {
    for (const tensor of Object.values(this.#packed ?? {})) tensor.dispose();
    this.#packed = null;
  }
}
