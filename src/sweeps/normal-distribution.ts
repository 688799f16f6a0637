/** Beyond this many standard deviations the distribution function is 0 or 1 to 11 digits, and the series converges slowly. */
const MAX_DEVIATIONS = 7;

/** Φ(x), the distribution function of the standard normal distribution (Marsaglia 2004, by its Taylor series). */
export function normalCdf(x: number): number {
  if (x < -MAX_DEVIATIONS) return 0;
  if (x > MAX_DEVIATIONS) return 1;
  let sum = x;
  let term = x;
  for (let previous = Number.NaN, odd = 3; sum !== previous; odd += 2) {
    previous = sum;
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}

/** φ(x), the density of the standard normal distribution. */
function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}
