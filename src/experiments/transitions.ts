import { ACTIVE_STATES, type ExperimentState, TRANSITIONS } from '../contracts/experiment.js';
import { type AppError, appError } from '../errors.js';

/** The actions on an experiment. */
export type Verb = 'cancel' | 'kill' | 'pause' | 'resume' | 'retry' | 'continue' | 'delete' | 'archive';

/** The states in which each verb has an effect, and those in which it is a no-op because it was requested before. */
const VERBS: Readonly<
  Record<Verb, { readonly acts: readonly ExperimentState[]; readonly done: readonly ExperimentState[] }>
> = {
  cancel: {
    acts: ['queued', 'preparing', 'running', 'pausing', 'paused', 'interrupted'],
    done: ['cancelling', 'cancelled'],
  },
  kill: {
    acts: ['queued', 'preparing', 'running', 'pausing', 'paused', 'interrupted', 'cancelling'],
    done: ['cancelled'],
  },
  pause: { acts: ['queued', 'preparing', 'running'], done: ['pausing', 'paused'] },
  resume: { acts: ['paused', 'interrupted'], done: ['queued', 'preparing', 'running'] },
  retry: { acts: ['failed', 'cancelled', 'interrupted'], done: ['queued', 'preparing', 'running'] },
  continue: { acts: ['succeeded'], done: ['queued', 'preparing', 'running'] },
  delete: { acts: ['queued', 'paused', 'cancelled', 'succeeded', 'failed', 'interrupted'], done: [] },
  archive: { acts: ['succeeded', 'failed', 'cancelled', 'paused', 'interrupted'], done: [] }, // what is copied must not change
};

/** Whether a state may follow another, according to the transition table. */
export function mayFollow(from: ExperimentState, to: ExperimentState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Whether the experiment occupies a slot on a host. */
export function isActive(state: ExperimentState): boolean {
  return ACTIVE_STATES.includes(state);
}

/**
 * Whether a verb has an effect in the current state.
 * @throws state-conflict, naming the current state and the allowed ones
 */
export function isNeeded(
  verb: Verb,
  { id, state }: { readonly id: string; readonly state: ExperimentState },
): boolean {
  const { acts, done } = VERBS[verb];
  if (acts.includes(state)) return true;
  if (done.includes(state)) return false;
  throw stateConflict(verb, { id, state });
}

/** The error that names the current state and the allowed ones. */
export function stateConflict(
  verb: Verb,
  { id, state }: { readonly id: string; readonly state: ExperimentState },
): AppError {
  const allowed = VERBS[verb].acts.join(', ');
  return appError('state-conflict', { experiment: id, state, verb, allowed });
}
