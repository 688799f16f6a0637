import type { Lease } from '../compute/training-executor.js';
import type { TrainingEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { RunEvent } from '../contracts/jobs.js';
import type { Store } from '../store/store.js';
import type { EventLog } from './event-log.js';
import { otherKernelsWarning } from './other-kernels.js';
import { isActive } from './transitions.js';

/** Events that a training may send; the others come from the service. */
const TRAINER_EVENTS: ReadonlySet<TrainingEvent['type']> = new Set([
  'started',
  'step',
  'epoch',
  'sample',
  'warning',
  'checkpoint',
  'rollback',
  'succeeded',
]);

export interface RecordDependencies {
  readonly store: Store;
  readonly log: EventLog;
}

/** Whether a lease is that of the current attempt: only its holder may send events and files. */
export function holdsLease(
  experiment: ExperimentRecord | undefined,
  { attempt }: Pick<Lease, 'attempt'>,
): boolean {
  return experiment !== undefined && experiment.attempt === attempt && isActive(experiment.state);
}

/**
 * Records an event of a training exactly once: events of older attempts and duplicates are
 * ignored. A checkpoint is progress: it resets the count of restarts. A training that continues on other kernels is warned of.
 * @returns whether it was recorded
 */
export function recordRunEvent(
  { store, log }: RecordDependencies,
  { experimentId, attempt }: Lease,
  { seq, event }: RunEvent,
): boolean {
  if (!TRAINER_EVENTS.has(event.type)) return false;
  return store.transaction(() => {
    const experiment = store.experiments.find(experimentId);
    if (!experiment || !holdsLease(experiment, { attempt }) || seq <= experiment.runSeq) return false;
    log.record(experimentId, event, { runSeq: seq, ...(event.type === 'checkpoint' && { restarts: 0 }) });
    const warning = event.type === 'started' ? otherKernelsWarning(experiment.run, event) : null;
    if (warning) log.record(experimentId, warning);
    return true;
  });
}
