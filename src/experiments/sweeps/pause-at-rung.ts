import type { SweepRecord } from '../../contracts/sweep-record.js';

/**
 * Where the training of a trial pauses by itself: at the next rung, where that ends its turn. Elsewhere the sweep asks, so
 * that a trial that goes on is not held up.
 */
export function pauseAtRung({ input }: SweepRecord, toEpoch: number): number | null {
  return input.stopping.type === 'asha' ? toEpoch : null;
}
