import type { SweepRecord } from '../../contracts/sweep-record.js';
import { appError } from '../../errors.js';
import type { Store } from '../../store/store.js';

/**
 * A sweep by its id, or the latest one of that name.
 * @throws sweep-not-found
 */
export function findSweep(store: Store, idOrName: string): SweepRecord {
  const sweep = store.sweeps.find(idOrName) ?? store.sweeps.findByName(idOrName);
  if (!sweep) throw appError('sweep-not-found', { sweep: idOrName });
  return sweep;
}
