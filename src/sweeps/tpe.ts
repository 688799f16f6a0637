/**
 * The multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127): samples points
 * from the density of good trials and proposes the one with the highest ratio of good to other density.
 */
import type { SweepPoint } from '../contracts/sweep.js';
import { LabelledRandom } from './labelled-random.js';
import { ParzenEstimator } from './parzen-estimator.js';
import type { Observation, Proposer } from './proposer.js';
import { createScatteredProposer, triedPoints } from './scattered.js';
import { pointKey, type Setting } from './search-space.js';

/** Number of sampled candidates. */
const CANDIDATES = 24;
/** Share of the trials that count as good, and its maximum number. */
const GOOD_PART = 0.1;
const MAX_GOOD = 25;

export interface TpeOptions {
  readonly seed: number;
  /** Number of quasi-random trials at the start. */
  readonly startupTrials: number;
}

export function createTpeProposer(
  settings: readonly Setting[],
  { seed, startupTrials }: TpeOptions,
): Proposer {
  const scattered = createScatteredProposer(settings, seed);
  return {
    propose(index, history) {
      if (index < startupTrials || history.every(({ value }) => value === null))
        return scattered.propose(index, history);
      const { good, others } = splitTrials(history);
      const [goodDensity, otherDensity] = [
        new ParzenEstimator(settings, good),
        new ParzenEstimator(settings, others),
      ];
      const random = new LabelledRandom(seed, 'tpe', index);
      const tried = triedPoints(settings, history);
      const candidates = Array.from({ length: CANDIDATES }, () => {
        const point = goodDensity.sample(random);
        return { point, score: goodDensity.logDensity(point) - otherDensity.logDensity(point) };
      });
      const best = candidates
        .toSorted((a, b) => b.score - a.score)
        .find(({ point }) => !tried.has(pointKey(settings, point)));
      return best?.point ?? scattered.propose(index, history);
    },
  };
}

/**
 * Splits trials into good ones and others, each in their order. A stopped trial ranks below one that
 * trained longer. A trial without results counts among the others, so that parallel trials do not cluster in one
 * region (the constant liar of Ginsbourger, Le Riche and Carraro 2010).
 */
export function splitTrials(history: readonly Observation[]): {
  readonly good: readonly SweepPoint[];
  readonly others: readonly SweepPoint[];
} {
  const known = history.filter((trial): trial is Observation & { value: number } => trial.value !== null);
  const ranked = known.toSorted((a, b) => compareTrials(a, b));
  const good = new Set<Observation>(ranked.slice(0, Math.min(MAX_GOOD, Math.ceil(GOOD_PART * known.length))));
  return {
    good: history.filter((trial) => good.has(trial)).map(({ point }) => point),
    others: history.filter((trial) => !good.has(trial)).map(({ point }) => point),
  };
}

interface RankedTrial {
  readonly epochs: number;
  readonly value: number;
}

/** Orders trials from best to worst: failed ones last, longer trained ones first. */
export function compareTrials(a: RankedTrial, b: RankedTrial): number {
  if (a.value === Number.POSITIVE_INFINITY || b.value === Number.POSITIVE_INFINITY) {
    return a.value === b.value ? 0 : a.value === Number.POSITIVE_INFINITY ? 1 : -1;
  }
  return b.epochs - a.epochs || a.value - b.value;
}
