import type { Lease } from '../compute/training-executor.js';
import type { TrainingEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { RunEvent } from '../contracts/jobs.js';
import type { Store } from '../store/store.js';
import type { EventLog } from './event-log.js';
import { isActive } from './transitions.js';

/** Events that a training may send; the others are for the service to say. */
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

/** Whether a lease is that of the present attempt: only its holder may say or store anything. */
export function holdsLease(
  experiment: ExperimentRecord | undefined,
  { attempt }: Pick<Lease, 'attempt'>,
): boolean {
  return experiment !== undefined && experiment.attempt === attempt && isActive(experiment.state);
}

/**
 * Records what a training said, once, however often it is sent: what an older attempt says, and what was recorded before, is
 * refused. A checkpoint is progress: from there on the experiment may be interrupted as often as ever.
 * @returns whether it was recorded
 */
export function recordRunEvent(
  { store, log }: { readonly store: Store; readonly log: EventLog },
  { experimentId, attempt }: Lease,
  { seq, event }: RunEvent,
): boolean {
  if (!TRAINER_EVENTS.has(event.type)) return false;
  return store.transaction(() => {
    const experiment = store.experiments.find(experimentId);
    if (!experiment || !holdsLease(experiment, { attempt }) || seq <= experiment.runSeq) return false;
    log.record(experimentId, event, { runSeq: seq, ...(event.type === 'checkpoint' && { restarts: 0 }) });
    return true;
  });
}
