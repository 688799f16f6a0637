import { appError } from '../errors.js';
import type { Parameter } from '../layers/parameter.js';
import { keep, type Tensor, zerosLike } from '../tensor/tensorflow.js';

/** One tensor per parameter that an optimizer keeps beside it: a moment, an average. Owns them. */
export class Slots {
  readonly #name: string;
  readonly #tensors = new Map<string, Tensor>();

  /** @param name ends the tensors' names: `lstm0.wx` → `lstm0.wx.NAME` */
  constructor(name: string) {
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#tensors.size === 0;
  }

  find(parameter: Parameter): Tensor | null {
    return this.#tensors.get(this.#key(parameter.name)) ?? null;
  }

  /** The tensor of this parameter; zeros at first. */
  get(parameter: Parameter): Tensor {
    const found = this.find(parameter);
    if (found) return found;
    const zeros = keep(zerosLike(parameter.value));
    this.#tensors.set(this.#key(parameter.name), zeros);
    return zeros;
  }

  /** Replaces the tensor, which becomes the slots' own, and may be the old one, changed in place; else that is disposed. */
  set(parameter: Parameter, tensor: Tensor): void {
    const old = this.find(parameter);
    if (old !== tensor) old?.dispose();
    this.#tensors.set(this.#key(parameter.name), keep(tensor));
  }

  entries(): IterableIterator<[string, Tensor]> {
    return this.#tensors.entries();
  }

  /** Takes those of the tensors whose names are this slot's. */
  restore(tensors: ReadonlyMap<string, Tensor>): void {
    this.dispose();
    for (const [key, tensor] of tensors) {
      if (key.endsWith(`.${this.#name}`)) this.#tensors.set(key, keep(tensor));
    }
    if (tensors.size > 0 && this.isEmpty) {
      throw appError('checkpoint-corrupt', {
        file: 'optimizer',
        reason: `it has no tensor of slot "${this.#name}"`,
      });
    }
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  #key(parameterName: string): string {
    return `${parameterName}.${this.#name}`;
  }
}
