import type { SweepRecord } from '../../contracts/sweep-record.js';
import type { Sweep, SweepTrial } from '../../contracts/sweep-view.js';
import type { Store } from '../../store/store.js';
import { settingImportance } from '../../sweeps/importance.js';
import type { Observation } from '../../sweeps/proposer.js';
import { createSearchSpace } from '../../sweeps/search-space.js';
import { COMPLETE } from '../../sweeps/sweep-schedule.js';
import { trialExperiment } from '../../sweeps/trial-config.js';
import { linkTo } from '../links.js';
import { trialsWithin } from './build-schedule.js';
import { bestTrial, viewTrials } from './view-trials.js';

/** A sweep in the form of the HTTP API. */
export function viewSweep(store: Store, sweep: SweepRecord): Sweep {
  const trials = viewTrials(store, sweep);
  const counts = { running: 0, waiting: 0, stopped: 0, finished: 0, failed: 0 };
  for (const { state } of trials) counts[state] += 1;
  const { name: _, ...input } = sweep.input;
  return {
    ...input,
    id: sweep.id,
    name: sweep.name,
    state: sweep.state,
    reason: sweep.reason,
    createdAt: sweep.createdAt,
    endedAt: sweep.endedAt,
    runningSeconds: sweep.runningMs / 1000,
    seq: sweep.seq,
    trials: { proposed: trials.length, ...counts, limit: trialsWithin(sweep.input) },
    epochs: {
      trained: trials.reduce((sum, { epochs, experimentIds }) => sum + epochs * experimentIds.length, 0),
      withoutStopping: trials.reduce((sum, trial) => sum + wholeEpochs(sweep.input, trial), 0),
    },
    best: bestTrial(trials),
    importance: settingImportance(createSearchSpace(sweep.input.space), trials.map(observe)),
    links: sweepLinks(sweep.id),
  };
}

/** Links to the resources of a sweep. */
export function sweepLinks(id: string): Record<string, string> {
  const self = linkTo(`/sweeps/${id}`);
  return {
    self,
    trials: `${self}/trials`,
    events: `${self}/events`,
    progress: `${self}/progress`,
    experiments: linkTo(`/experiments?tag=sweep:${id}`),
  };
}

/** The epochs that a trial would have trained without early stopping; for one that ended otherwise, those that it trained. */
function wholeEpochs(
  input: SweepRecord['input'],
  { point, state, epochs, experimentIds }: SweepTrial,
): number {
  if (state === 'finished' || state === 'failed') return epochs * experimentIds.length;
  return trialExperiment(input, point).training.epochs * experimentIds.length;
}

function observe({ point, state, epochs, value }: SweepTrial): Observation {
  if (state === 'failed') return { point, epochs, value: Number.POSITIVE_INFINITY };
  return { point, epochs: state === 'finished' ? COMPLETE : epochs, value };
}
