import type { SweepRecord } from '../../contracts/sweep-record.js';

/**
 * Epoch at which the training of a trial pauses automatically: the next rung, if that ends its turn. Otherwise the sweep requests the pause, so
 * that a trial that continues is not delayed.
 */
export function pauseAtRung({ input }: SweepRecord, toEpoch: number): number | null {
  return input.stopping.type === 'asha' ? toEpoch : null;
}
