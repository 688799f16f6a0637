import { setImmediate as nextTurn } from 'node:timers/promises';
import { appError } from '../errors.js';
import type { Stepwise } from './stepwise.js';

export interface TurnOptions<Step> {
  readonly onStep?: (step: Step) => void;
  /** Checked after each step. */
  readonly isCancelled: () => boolean;
  /** Whether other tasks wait for the thread. */
  readonly othersWait: () => boolean;
}

/**
 * Runs all steps. If other tasks wait for the thread, pauses after each step for as long as the step took: each side gets half
 * of the time.
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
    steps.return(undefined as never); // releases its resources if it has not finished
  }
}
