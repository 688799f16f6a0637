import type { TrainingConfig } from '../contracts/training.js';
import { RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';

/**
 * Whether the states of all streams are reset to zero before a step. Otherwise a model sees a zero state only at the beginning of
 * an epoch, although every evaluation and every generated text begins with it. Depends on the seed and the step alone.
 *
 * Reference: Melis, Dyer and Blunsom 2017, arXiv 1707.05589, who reset it with probability 0.01.
 * @param step number of updates so far
 */
export function resetsState(
  { seed, stateResetProbability }: Pick<TrainingConfig, 'seed' | 'stateResetProbability'>,
  step: number,
): boolean {
  if (stateResetProbability === 0) return false;
  const key = new RandomSource(seed, RANDOM_STREAMS.stateReset, step).next();
  return uniform(1, key, 0, 1)[0]! < stateResetProbability;
}
