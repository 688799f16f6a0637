/** A growing list of 32-bit integers. */
export class IdList {
  #values: Int32Array;
  #length = 0;

  constructor(capacity = 0) {
    this.#values = new Int32Array(Math.max(16, capacity));
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(this.#length + 1);
    this.#values[this.#length++] = value;
  }

  pushAll(values: Int32Array): void {
    if (this.#length + values.length > this.#values.length) this.#grow(this.#length + values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  /** The values, in an array of exactly their length. */
  take(): Int32Array {
    return this.#values.slice(0, this.#length);
  }

  #grow(minLength: number): void {
    const larger = new Int32Array(Math.max(minLength, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}
