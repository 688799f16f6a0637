import * as tf from '../tensor/tensorflow.js';

/**
 * What a model remembers of N streams: named tensors, [N, …] each. Which they are is the model's affair; whoever holds a
 * state may keep it, copy it, cut it and join it by streams. Owns its tensors.
 */
export class State {
  /** By name, in the model's order. */
  readonly tensors: ReadonlyMap<string, tf.Tensor2D>;

  /** @param tensors become the state's own */
  constructor(tensors: ReadonlyMap<string, tf.Tensor2D>) {
    for (const tensor of tensors.values()) tf.keep(tensor);
    this.tensors = tensors;
  }

  /** The streams of all of them, one after another, as one state; takes them over. At least one. */
  static join(states: readonly State[]): State {
    const [first] = states as [State];
    if (states.length === 1) return first;
    const joined = first.#map((_, name) => tf.concat(states.map(({ tensors }) => tensors.get(name)!)));
    for (const state of states) state.dispose();
    return joined;
  }

  /** N */
  get streams(): number {
    return this.tensors.values().next().value?.shape[0] ?? 0;
  }

  /** Memory of its numbers. */
  get bytes(): number {
    let size = 0;
    for (const tensor of this.tensors.values()) size += tensor.size;
    return Float32Array.BYTES_PER_ELEMENT * size;
  }

  /** Some streams, in the order of `rows`; the caller's, and the state stays. */
  gather(rows: readonly number[]): State {
    const indices = tf.tensor1d(Int32Array.from(rows), 'int32');
    const gathered = this.#map((tensor) => tf.gather(tensor, indices));
    indices.dispose();
    return gathered;
  }

  /** The same streams once more; the caller's. Clones would share their memory, which a step writes to. */
  copy(): State {
    return this.#map((tensor) => tf.mul(tensor, 1));
  }

  /** All numbers, tensor after tensor. */
  toNumbers(): Float32Array {
    const numbers = new Float32Array(this.bytes / Float32Array.BYTES_PER_ELEMENT);
    let at = 0;
    for (const tensor of this.tensors.values()) {
      numbers.set(tensor.dataSync<'float32'>(), at);
      at += tensor.size;
    }
    return numbers;
  }

  /**
   * The state of the same form with these numbers, see {@link toNumbers}; the caller's.
   * @returns null where the numbers are not those of one such state
   */
  withNumbers(numbers: Float32Array): State | null {
    if (numbers.byteLength !== this.bytes || !numbers.every(Number.isFinite)) return null;
    let at = 0;
    return this.#map(({ shape, size }) => {
      at += size;
      return tf.tensor2d(numbers.slice(at - size, at), shape);
    });
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
  }

  #map(make: (tensor: tf.Tensor2D, name: string) => tf.Tensor2D): State {
    return new State(new Map(Array.from(this.tensors, ([name, tensor]) => [name, make(tensor, name)])));
  }
}
