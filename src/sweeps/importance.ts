/**
 * Importance of each setting for being among the best trials: PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv
 * 2304.10255). It measures how the distribution of the best trials along a setting differs from that of all trials:
 *
 *   v_s = Σ_x p_all(x) (p_best(x) / p_all(x) - 1)²,   importance = v_s / Σ v
 */
import type { SweepPoint } from '../contracts/sweep.js';
import type { Observation } from './proposer.js';
import type { ChoiceSetting, NumberSetting, Setting } from './search-space.js';
import { compareTrials } from './tpe.js';

/** Share of the trials that count as the best; at least MIN_BEST. */
const BEST_PART = 0.1;
const MIN_BEST = 5;
/** Number of bins of a numeric range. */
const CELLS = 50;
/** Minimum trials for a meaningful result. */
export const MIN_TRIALS_FOR_IMPORTANCE = 10;

/** The importance of each setting by path, normalized to 1; null for too few trials. */
export function settingImportance(
  settings: readonly Setting[],
  history: readonly Observation[],
): Readonly<Record<string, number>> | null {
  const trials = history.filter((trial): trial is Observation & { value: number } => trial.value !== null);
  if (trials.length < MIN_TRIALS_FOR_IMPORTANCE) return null;
  const ranked = trials.toSorted(compareTrials).map(({ point }) => point);
  const best = ranked.slice(0, Math.max(MIN_BEST, Math.ceil(BEST_PART * ranked.length)));
  const divergences = settings.map((setting) => divergence(setting, best, ranked));
  const sum = divergences.reduce((total, value) => total + value, 0);
  return Object.fromEntries(
    settings.map(({ path }, index) => [path, sum > 0 ? divergences[index]! / sum : 1 / settings.length]),
  );
}

/** The Pearson divergence of the best trials from all, over those to which the setting applies. */
function divergence(setting: Setting, best: readonly SweepPoint[], all: readonly SweepPoint[]): number {
  const applies = (point: SweepPoint) => Object.hasOwn(point, setting.path);
  const [bestPoints, allPoints] = [best.filter(applies), all.filter(applies)];
  if (bestPoints.length === 0) return 0;
  const bestMasses = masses(setting, bestPoints);
  return masses(setting, allPoints).reduce(
    (sum, mass, cell) => sum + mass * (bestMasses[cell]! / mass - 1) ** 2,
    0,
  );
}

/** Probability of each value or bin; never 0. */
function masses(setting: Setting, points: readonly SweepPoint[]): number[] {
  return setting.kind === 'choice' ? choiceMasses(setting, points) : numberMasses(setting, points);
}

function choiceMasses({ path, values, indexOf }: ChoiceSetting, points: readonly SweepPoint[]): number[] {
  const counts = new Array<number>(values.length).fill(1 / values.length); // the prior counts as one observation
  for (const point of points) counts[indexOf(point[path]!)]! += 1;
  return counts.map((count) => count / (points.length + 1));
}

/** Kernel density estimate with Scott's rule (1992), and a uniform kernel for the prior. */
function numberMasses({ path, cellOf, count }: NumberSetting, points: readonly SweepPoint[]): number[] {
  const cells = Math.min(CELLS, count ?? CELLS);
  const places = points.map((point) => {
    const [from, to] = cellOf(point[path] as number);
    return (from + to) / 2;
  });
  const width = Math.max(1 / cells, deviation(places) * places.length ** (-1 / 5));
  const sums = new Array<number>(cells).fill(1 / cells);
  for (const place of places) {
    const kernel = sums.map((_, cell) => Math.exp(-0.5 * (((cell + 0.5) / cells - place) / width) ** 2));
    const total = kernel.reduce((sum, value) => sum + value, 0);
    kernel.forEach((value, cell) => {
      sums[cell]! += value / total;
    });
  }
  return sums.map((sum) => sum / (places.length + 1));
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
