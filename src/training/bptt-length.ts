import { normal, type RandomSource, uniform } from '../tensor/random.js';

/** Minimum length. */
const MIN_LENGTH = 5;
const DEVIATION = 5;
const PROBABILITY_OF_FULL = 0.95;

/**
 * Length of the next batch when it varies: T with probability 0.95, else T / 2, then normal around that with deviation
 * 5, at least 5. The learning rate is to be scaled by length / T.
 *
 * Reference: Merity, Keskar and Socher 2017, arXiv 1708.02182, section 5.
 */
export function drawBpttLength(bpttLength: number, random: RandomSource): number {
  const full = uniform(1, random.next(), 0, 1)[0]! < PROBABILITY_OF_FULL;
  const center = full ? bpttLength : bpttLength / 2;
  return Math.max(MIN_LENGTH, Math.trunc(normal(1, random.next(), center, DEVIATION)[0]!));
}
