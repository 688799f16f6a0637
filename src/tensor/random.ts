/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A number depends only on (seed, stream, counter, index), so resuming needs no more than a counter, and the native
 * kernels draw the very same numbers.
 */

/** Names one block of random numbers. All four are unsigned 32-bit integers; the counter is low + 2³²·high. */
export interface RandomKey {
  readonly seed: number;
  readonly stream: number;
  readonly counterLow: number;
  readonly counterHigh: number;
}

/** What the random numbers are for; each purpose has a stream of its own. */
export const RANDOM_STREAMS = {
  initialization: 1,
  dropout: 2,
  batchLength: 3,
  sampling: 4,
  stateReset: 5,
} as const;

/** Hands out keys one after another; its counter is all that a checkpoint needs. */
export class RandomSource {
  readonly seed: number;
  readonly stream: number;
  counter: number;

  constructor(seed: number, stream: number, counter = 0) {
    this.seed = seed >>> 0;
    this.stream = stream >>> 0;
    this.counter = counter;
  }

  /** The next key; never the same one twice. */
  next(): RandomKey {
    const counter = this.counter++;
    return {
      seed: this.seed,
      stream: this.stream,
      counterLow: counter >>> 0,
      counterHigh: Math.floor(counter / 2 ** 32) >>> 0,
    };
  }
}

/** `size` unsigned 32-bit integers: element i is lane i mod 4 of block ⌊i / 4⌋. */
export function randomBits(size: number, key: RandomKey): Uint32Array {
  const bits = new Uint32Array(Math.ceil(size / 4) * 4);
  for (let block = 0; block * 4 < size; block++) philoxBlock(bits, block, key);
  return bits.subarray(0, size);
}

/** `size` numbers, uniform in [low, high). */
export function uniform(size: number, key: RandomKey, low: number, high: number): Float32Array {
  const bits = randomBits(size, key);
  const out = inPlaceOf(bits);
  for (let i = 0; i < size; i++) out[i] = low + (high - low) * ((bits[i]! >>> 8) * 2 ** -24);
  return out;
}

/** `size` numbers, normal with the given mean and standard deviation (Box and Muller 1958). */
export function normal(size: number, key: RandomKey, mean: number, deviation: number): Float32Array {
  const pairs = Math.ceil(size / 2);
  const bits = randomBits(pairs * 2, key);
  const out = inPlaceOf(bits);
  for (let i = 0; i < pairs; i++) {
    const radius = Math.sqrt(-2 * Math.log((bits[2 * i]! + 1) * 2 ** -32)); // (0, 1]: the logarithm is finite
    const angle = 2 * Math.PI * bits[2 * i + 1]! * 2 ** -32; // both are read before either is overwritten
    out[2 * i] = mean + deviation * radius * Math.cos(angle);
    out[2 * i + 1] = mean + deviation * radius * Math.sin(angle);
  }
  return out.subarray(0, size);
}

/** An inverted dropout mask: 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(size: number, key: RandomKey, rate: number): Float32Array {
  const threshold = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const bits = randomBits(size, key);
  const out = inPlaceOf(bits);
  for (let i = 0; i < size; i++) out[i] = bits[i]! >= threshold ? kept : 0;
  return out;
}

/** Floats in the memory of the bits that they are made of: weights are large. */
function inPlaceOf({ buffer, byteOffset, length }: Uint32Array): Float32Array {
  return new Float32Array(buffer, byteOffset, length);
}

const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_B = 0xcd9e8d57;
const WEYL_A = 0x9e3779b9;
const WEYL_B = 0xbb67ae85;

/** One block: key words (seed, stream), counter words (block, 0, counterLow, counterHigh); writes bits[4·block … +3]. */
function philoxBlock(bits: Uint32Array, block: number, key: RandomKey): void {
  let a = block >>> 0;
  let b = 0;
  let c = key.counterLow;
  let d = key.counterHigh;
  let keyA = key.seed;
  let keyB = key.stream;
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(MULTIPLIER_A, a);
    const lowA = Math.imul(MULTIPLIER_A, a);
    const highC = multiplyHigh(MULTIPLIER_B, c);
    const lowC = Math.imul(MULTIPLIER_B, c);
    a = (highC ^ b ^ keyA) >>> 0;
    b = lowC >>> 0;
    c = (highA ^ d ^ keyB) >>> 0;
    d = lowA >>> 0;
    keyA = (keyA + WEYL_A) >>> 0;
    keyB = (keyB + WEYL_B) >>> 0;
  }
  bits[4 * block] = a;
  bits[4 * block + 1] = b;
  bits[4 * block + 2] = c;
  bits[4 * block + 3] = d;
}

/** The upper 32 bits of a 64-bit product. Both halves of `y` keep the products below 2⁵³, where doubles are exact. */
function multiplyHigh(x: number, y: number): number {
  const low = x * (y & 0xffff);
  const high = x * (y >>> 16);
  return Math.floor((high + Math.floor(low / 65536)) / 65536) >>> 0;
}
