import type { SweepPoint } from '../../contracts/sweep.js';
import type { SweepRecord, TrialLimit } from '../../contracts/sweep-record.js';
import { AppError } from '../../errors.js';
import { createProposer } from '../../sweeps/create-proposer.js';
import { createStoppingRule } from '../../sweeps/create-stopping-rule.js';
import type { Proposer } from '../../sweeps/proposer.js';
import { createSearchSpace } from '../../sweeps/search-space.js';
import { SweepSchedule } from '../../sweeps/sweep-schedule.js';
import { trialExperiment } from '../../sweeps/trial-config.js';

/**
 * Rebuilds the schedule of a sweep from its start.
 * @param known the points tried so far: they are kept even if this version of gatelm would propose others
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

/** Maximum number of trials under the limit on experiments. */
export function trialsWithin({ limits, seedsPerPoint }: SweepRecord['input']): number {
  return Math.floor(limits.experiments / seedsPerPoint);
}

/** Epochs of the trial of a point; 1 if no experiment can be created for it, so that it fails immediately. */
function pointEpochs(input: SweepRecord['input'], point: SweepPoint): number {
  try {
    return trialExperiment(input, point).training.epochs;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid') return 1;
    throw error;
  }
}
