import type { Sweep } from '../../contracts/sweep-view.js';
import { appError } from '../../errors.js';
import type { Store } from '../../store/store.js';
import { viewSweep } from './view-sweep.js';

/**
 * One page of sweeps, newest first, and the cursor of the next.
 * @throws bad-request for an invalid cursor
 */
export function listSweeps(
  store: Store,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { items: Sweep[]; nextCursor: string | null } {
  const before = cursor === undefined ? null : Number(cursor);
  if (before !== null && !Number.isSafeInteger(before))
    throw appError('bad-request', { reason: 'cursor: must be the nextCursor of the previous page' });
  const sweeps = store.sweeps.page(limit + 1, before);
  const page = sweeps.slice(0, limit);
  return {
    items: page.map((sweep) => viewSweep(store, sweep)),
    nextCursor: sweeps.length > limit ? String(page.at(-1)!.number) : null,
  };
}
