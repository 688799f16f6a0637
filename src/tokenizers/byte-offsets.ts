/** Converts positions in a string (UTF-16 units), requested in ascending order, to positions in its UTF-8. */
export class ByteOffsets {
  readonly #text: string;
  #position = 0;
  #bytes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param position at least that of the previous call, and not inside a surrogate pair */
  at(position: number): number {
    for (; this.#position < position; this.#position++) {
      const code = this.#text.charCodeAt(this.#position);
      // A surrogate pair is four bytes of UTF-8, two for each half.
      this.#bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
    }
    return this.#bytes;
  }
}
