import type { SweepPoint } from '../../contracts/sweep.js';
import type { SweepRecord, TrialLimit } from '../../contracts/sweep-record.js';
import { AppError } from '../../errors.js';
import { createProposer, type Proposer } from '../../sweeps/proposer.js';
import { createSearchSpace } from '../../sweeps/search-space.js';
import { createStoppingRule } from '../../sweeps/stopping-rule.js';
import { SweepSchedule } from '../../sweeps/sweep-schedule.js';
import { trialExperiment } from '../../sweeps/trial-config.js';

/**
 * The schedule of a sweep, from its beginning.
 * @param known the points that it has tried: they stay as they are, also for a gatelm that would propose others
 */
export function buildSchedule(
  input: SweepRecord['input'],
  limits: readonly TrialLimit[],
  known: readonly SweepPoint[] = [],
): SweepSchedule {
  const fresh = createProposer(input.strategy, createSearchSpace(input.space), input.seed);
  const proposer: Proposer = {
    propose: (index, history) => known[index] ?? fresh.propose(index, history),
  };
  const epochsOf = (point: SweepPoint) => pointEpochs(input, point);
  const first = proposer.propose(0, []);
  return new SweepSchedule({
    proposer,
    rule: createStoppingRule(input.stopping, first ? epochsOf(first) : 1), // the same for all where trials are stopped
    epochsOf,
    parallel: input.limits.parallel,
    limits,
  });
}

/** Trials that a limit of experiments allows. */
export function trialsWithin({ limits, seedsPerPoint }: SweepRecord['input']): number {
  return Math.floor(limits.experiments / seedsPerPoint);
}

/** Epochs of a point’s trial; 1 where the point makes no experiment, so that it fails at once. */
function pointEpochs(input: SweepRecord['input'], point: SweepPoint): number {
  try {
    return trialExperiment(input, point).training.epochs;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid') return 1;
    throw error;
  }
}
