import * as tf from '../tensor/tensorflow.js';

/**
 * The recurrent state of N streams: named tensors, [N, …] each. The names depend on the model; users of a state can keep,
 * copy, split and join it by streams. Owns its tensors.
 */
export class State {
  /** By name, in the order of the model. */
  readonly tensors: ReadonlyMap<string, tf.Tensor2D>;

  /** @param tensors ownership passes to the state */
  constructor(tensors: ReadonlyMap<string, tf.Tensor2D>) {
    for (const tensor of tensors.values()) tf.keep(tensor);
    this.tensors = tensors;
  }

  /** Concatenates the streams of several states into one; takes ownership. At least one. */
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

  /** Memory of its tensors. */
  get bytes(): number {
    let size = 0;
    for (const tensor of this.tensors.values()) size += tensor.size;
    return Float32Array.BYTES_PER_ELEMENT * size;
  }

  /** Selects streams, in the order of `rows`; owned by the caller, this state is unchanged. */
  gather(rows: readonly number[]): State {
    const indices = tf.tensor1d(Int32Array.from(rows), 'int32');
    const gathered = this.#map((tensor) => tf.gather(tensor, indices));
    indices.dispose();
    return gathered;
  }

  /** A copy, owned by the caller. tf clones share memory, which a step overwrites. */
  copy(): State {
    return this.#map((tensor) => tf.mul(tensor, 1));
  }

  /** All values, concatenated in the order of the tensors. */
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
   * A state of the same shape with these values, see {@link toNumbers}; owned by the caller.
   * @returns null if their count does not match, or one is not finite
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
