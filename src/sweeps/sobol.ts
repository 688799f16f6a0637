/**
 * Scrambled Sobol sequences (Sobol 1967; Bratley and Fox 1988): low-discrepancy points in [0, 1)^d.
 *
 * Primitive polynomials are found by enumeration, initial direction numbers by a seeded search for those with the best
 * two-dimensional projections (the t-value of Niederreiter 1987). A sequence is scrambled by random
 * lower-triangular matrices and a digital shift (Matoušek 1998), which preserves its uniformity.
 */
import { LabelledRandom } from './labelled-random.js';

/** Binary digits of a coordinate. */
const DIGITS = 30;
/** Candidates of initial direction numbers for each dimension. */
const CANDIDATES = 12;
/** Number of previous dimensions for which projections of a new one are rated, */
const NEIGHBOURS = 8;
/** by their first 2, 4, … 2^LEVELS points. */
const LEVELS = 6;

/** The coordinates of a point of the sequence, each in (0, 1). */
export type Sobol = (index: number) => number[];

/** @param dimensions coordinates of a point, at most 37 */
export function createSobol(dimensions: number, seed: number): Sobol {
  const random = new LabelledRandom(seed, 'sobol-scramble');
  const columns = directionNumbers(dimensions).map((numbers) => scramble(numbers, random));
  const shifts = columns.map(() => random.below(2 ** DIGITS));
  return (index) =>
    columns.map((numbers, dimension) => {
      let bits = shifts[dimension]!;
      for (let digit = 0, rest = index; rest > 0; digit++, rest = Math.floor(rest / 2))
        if (rest % 2 === 1) bits ^= numbers[digit]!;
      return (bits + 0.5) * 2 ** -DIGITS;
    });
}

/** Cache of direction numbers: the search takes a moment and is deterministic. */
const found: number[][] = [];

/** The direction numbers of each dimension; the first binary digit is bit DIGITS - 1. */
export function directionNumbers(dimensions: number): readonly number[][] {
  if (found.length === 0) found.push(Array.from({ length: DIGITS }, (_, i) => 2 ** (DIGITS - 1 - i))); // van der Corput
  let dimension = 1;
  for (const polynomial of primitivePolynomials()) {
    if (found.length >= dimensions) break;
    if (dimension === found.length) found.push(bestDirectionNumbers(polynomial, found));
    dimension += 1;
  }
  return found.slice(0, dimensions);
}

interface Polynomial {
  readonly degree: number;
  /** Bit i is the coefficient of x^i. */
  readonly bits: number;
}

/** The primitive polynomials over GF(2) of degree 1 to 7, by degree. */
function* primitivePolynomials(): Generator<Polynomial> {
  for (let degree = 1; degree <= 7; degree++)
    for (let bits = 2 ** degree + 1; bits < 2 ** (degree + 1); bits += 2)
      if (isPrimitive(bits, degree)) yield { degree, bits };
}

/** Whether the powers of x generate all non-zero residues. */
function isPrimitive(bits: number, degree: number): boolean {
  let power = 1;
  for (let exponent = 1; ; exponent++) {
    power <<= 1;
    if (power >> degree) power ^= bits;
    if (power === 1) return exponent === 2 ** degree - 1;
    if (power === 0 || exponent >= 2 ** degree) return false;
  }
}

function bestDirectionNumbers(polynomial: Polynomial, before: readonly number[][]): number[] {
  const random = new LabelledRandom('sobol-directions', before.length);
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let candidate = 0; candidate < CANDIDATES; candidate++) {
    const initial = Array.from({ length: polynomial.degree }, (_, i) => 2 * random.below(2 ** i) + 1);
    const numbers = recurrence(polynomial, initial);
    const unevenness = before
      .slice(-NEIGHBOURS)
      .reduce((sum, other) => sum + projectionUnevenness(numbers, other), 0);
    if (unevenness < least) [best, least] = [numbers, unevenness];
  }
  return best;
}

/** m_i = 2 a_1 m_i-1 ⊕ … ⊕ 2^s m_i-s ⊕ m_i-s, as v_i = m_i / 2^i. */
function recurrence({ degree, bits }: Polynomial, initial: readonly number[]): number[] {
  const numbers = initial.map((odd, i) => odd * 2 ** (DIGITS - 1 - i));
  for (let i = degree; i < DIGITS; i++) {
    const oldest = numbers[i - degree]!;
    let next = oldest ^ (oldest >>> degree);
    for (let back = 1; back < degree; back++) if ((bits >> (degree - back)) & 1) next ^= numbers[i - back]!;
    numbers.push(next);
  }
  return numbers;
}

/** The sum of 2^t over the first 2, 4, … points of a two-dimensional projection; t = 0 is optimal. */
function projectionUnevenness(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (let level = 1; level <= LEVELS; level++) sum += 2 ** tValue(one, other, level);
  return sum;
}

/** The t of the (t, m, 2)-net of the first 2^m points. */
export function tValue(one: readonly number[], other: readonly number[], m: number): number {
  for (let strength = m; strength > 0; strength--) {
    const splits = Array.from({ length: strength + 1 }, (_, rows) => rows);
    const independent = splits.every((rows) =>
      isIndependent([...matrixRows(one, rows, m), ...matrixRows(other, strength - rows, m)]),
    );
    if (independent) return m - strength;
  }
  return m;
}

/** The first rows of the generating matrix, truncated to m columns; bit j is column j. */
function matrixRows(numbers: readonly number[], rows: number, m: number): number[] {
  return Array.from({ length: rows }, (_, row) => {
    let bits = 0;
    for (let column = 0; column < m; column++)
      bits |= ((numbers[column]! >>> (DIGITS - 1 - row)) & 1) << column;
    return bits;
  });
}

/** Gaussian elimination over GF(2). */
function isIndependent(rows: readonly number[]): boolean {
  const pivots: number[] = [];
  for (const row of rows) {
    const rest = pivots.reduce((left, pivot) => Math.min(left, left ^ pivot), row);
    if (rest === 0) return false;
    pivots.push(rest);
    pivots.sort((a, b) => b - a);
  }
  return true;
}

/** Adds a random sum of the preceding digits to each digit: a unit lower-triangular matrix. */
function scramble(numbers: readonly number[], random: LabelledRandom): number[] {
  const masks = Array.from({ length: DIGITS }, (_, digit) => {
    const before = random.below(2 ** digit) * 2 ** (DIGITS - digit);
    return before + 2 ** (DIGITS - 1 - digit);
  });
  return numbers.map((number) =>
    masks.reduce((bits, mask, digit) => bits | (parity(number & mask) << (DIGITS - 1 - digit)), 0),
  );
}

function parity(bits: number): number {
  let rest = bits;
  for (let shift = 16; shift > 0; shift >>= 1) rest ^= rest >>> shift;
  return rest & 1;
}
