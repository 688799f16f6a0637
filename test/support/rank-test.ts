/** Standard normal quantile of 0.95: what a one-sided rank test at 5 % has to exceed. */
export const RANK_TEST_LIMIT = 1.645;

/**
 * How far the first sample lies above the second, in standard deviations of the rank sum (Mann and Whitney 1947, by the
 * normal approximation).
 */
export function rankTest(sample: readonly number[], other: readonly number[]): number {
  const [n, m] = [sample.length, other.length];
  let above = 0;
  for (const a of sample) for (const b of other) above += a > b ? 1 : a === b ? 0.5 : 0;
  return (above - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
}
