import { createHash } from 'node:crypto';

/** Numbers that one digest gives: 8 bytes each. */
const NUMBERS_PER_BLOCK = 4;

/**
 * Random numbers that depend on nothing but their labels: SHA-256 of the labels and a counter. A trial's proposal draws
 * from the sweep's seed and its own number, so that no earlier proposal has to be repeated after a restart.
 */
export class LabelledRandom {
  readonly #label: string;
  #block: Buffer = Buffer.alloc(0);
  #drawn = 0;

  constructor(...labels: readonly (string | number)[]) {
    this.#label = labels.join('/');
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    const place = this.#drawn % NUMBERS_PER_BLOCK;
    if (place === 0) this.#block = createHash('sha256').update(`${this.#label}/${this.#drawn}`).digest();
    this.#drawn += 1;
    const high = this.#block.readUInt32LE(8 * place) >>> 5; // 27 bits
    const low = this.#block.readUInt32LE(8 * place + 4) >>> 6; // 26 bits
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  /** An integer from 0 to size - 1. */
  below(size: number): number {
    return Math.floor(this.next() * size);
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next())); // 1 - [0, 1) is never 0
    return radius * Math.cos(2 * Math.PI * this.next());
  }
}
