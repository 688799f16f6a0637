/** Standard test functions of global optimization (Surjanovic and Bingham, Virtual Library of Simulation Experiments). */

const HARTMANN_A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const HARTMANN_P = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const HARTMANN_C = [1, 1.2, 3, 3.2];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

export type StandardFunctionName = 'branin' | 'hartmann6' | 'ackley5' | 'rosenbrock4';

/** By their names in test/fixtures/optuna-regret.py, which has their bounds and minima. */
export const STANDARD_FUNCTIONS: Readonly<Record<StandardFunctionName, (x: readonly number[]) => number>> = {
  branin: ([a = 0, b = 0]) => {
    const curve = b - (5.1 / (4 * Math.PI ** 2)) * a ** 2 + (5 / Math.PI) * a - 6;
    return curve ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10;
  },
  hartmann6: (x) =>
    -sum(
      HARTMANN_C.map((c, row) => {
        const distances = x.map((value, i) => HARTMANN_A[row]![i]! * (value - HARTMANN_P[row]![i]!) ** 2);
        return c * Math.exp(-sum(distances));
      }),
    ),
  ackley5: (x) =>
    -20 * Math.exp(-0.2 * Math.sqrt(mean(x.map((value) => value ** 2)))) -
    Math.exp(mean(x.map((value) => Math.cos(2 * Math.PI * value)))) +
    20 +
    Math.E,
  rosenbrock4: (x) => sum(x.slice(1).map((next, i) => 100 * (next - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2)),
};
