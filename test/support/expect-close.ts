import assert from 'node:assert/strict';

/** Fails unless every |actual − expected| ≤ tolerance · max(1, |expected|); names the worst element. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length, `${what}: number of elements`);
  let worst = -1;
  let largest = tolerance;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    if (!(error <= largest)) {
      worst = i;
      largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    }
  }
  assert.equal(
    worst,
    -1,
    `${what}[${worst}]: expected ${expected[worst]}, got ${actual[worst]}, error ${largest} > ${tolerance}`,
  );
}
