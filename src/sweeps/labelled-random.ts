import { createHash } from 'node:crypto';

/** Random numbers per digest: 8 bytes each. */
const NUMBERS_PER_BLOCK = 4;

/**
 * Random numbers that depend only on their labels: SHA-256 of the labels and a counter. A trial's proposal uses the sweep's
 * seed and its own number, so that earlier proposals need not be repeated after a restart.
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

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next())); // 1 - [0, 1) is never 0
    return radius * Math.cos(2 * Math.PI * this.next());
  }
}
