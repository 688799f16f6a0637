import { setImmediate as nextTurn } from 'node:timers/promises';
import { appError } from '../errors.js';
import type { Stepwise } from './stepwise.js';

export interface TurnOptions<Step> {
  readonly onStep?: (step: Step) => void;
  /** Asked after each step. */
  readonly isCancelled: () => boolean;
  /** Whether others want the thread. */
  readonly othersWait: () => boolean;
}

/**
 * Runs all steps, and leaves as much time between two of them to others who want the thread as the step took: each side has
 * half of it.
 * @throws cancelled
 */
export async function runCooperatively<Result, Step>(
  steps: Stepwise<Result, Step>,
  { onStep, isCancelled, othersWait }: TurnOptions<Step>,
): Promise<Result> {
  try {
    for (;;) {
      const start = performance.now();
      const { done, value } = steps.next();
      if (done) return value;
      onStep?.(value);
      const tookMs = performance.now() - start;
      const end = performance.now();
      do await nextTurn();
      while (othersWait() && performance.now() - end < tookMs);
      if (isCancelled()) throw appError('cancelled');
    }
  } finally {
    steps.return(undefined as never); // frees what it holds, where it was not at its end
  }
}
