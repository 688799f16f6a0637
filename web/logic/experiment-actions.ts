import type { ExperimentState } from '../../src/contracts/experiment.js';

export const VERBS = ['pause', 'resume', 'cancel', 'retry', 'continue', 'fork', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

/** States in which a verb does something. The server has the last word. */
const STATES: Readonly<Record<Verb, readonly ExperimentState[] | 'any'>> = {
  pause: ['queued', 'preparing', 'running'],
  resume: ['paused', 'interrupted'],
  cancel: ['queued', 'preparing', 'running', 'pausing', 'paused', 'interrupted'],
  retry: ['failed', 'cancelled', 'interrupted'],
  continue: ['succeeded'],
  fork: 'any',
  delete: ['queued', 'paused', 'cancelled', 'succeeded', 'failed', 'interrupted'],
};

export function canDo(verb: Verb, state: ExperimentState): boolean {
  const states = STATES[verb];
  return states === 'any' || states.includes(state);
}

export const ACTIVE: readonly ExperimentState[] = ['queued', 'preparing', 'running', 'pausing', 'cancelling'];

export function isActive(state: ExperimentState): boolean {
  return ACTIVE.includes(state);
}

/** Part of the training that is done, from 0 to 1. */
export function progressOf(experiment: {
  readonly latest: { readonly epoch: number | null };
  readonly config: { readonly training: { readonly epochs: number } };
}): number {
  return Math.max(0, Math.min(1, (experiment.latest.epoch ?? 0) / experiment.config.training.epochs));
}
