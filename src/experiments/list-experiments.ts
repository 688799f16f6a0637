import type { Experiment } from '../contracts/experiment.js';
import { appError } from '../errors.js';
import type { ExperimentPageQuery, PageCursor } from '../store/experiment-page.js';
import type { Store } from '../store/store.js';
import { viewExperiments } from './experiment-view.js';

export interface ListQuery extends Omit<ExperimentPageQuery, 'after'> {
  readonly cursor?: string | undefined;
}

/**
 * One page of experiments and the cursor of the next.
 * @throws bad-request for an invalid cursor
 */
export function listExperiments(
  store: Store,
  { cursor, ...query }: ListQuery,
): { items: Experiment[]; nextCursor: string | null } {
  const order = `${query.descending ? '-' : ''}${query.sort}`;
  const after = cursor === undefined ? undefined : decodeCursor(cursor, order);
  const { experiments, next } = store.page({ ...query, after });
  return { items: viewExperiments(store, experiments), nextCursor: next && encodeCursor(next, order) };
}

/** @param order what the page is sorted by: the place in another order would be another one */
function encodeCursor({ value, number }: PageCursor, order: string): string {
  return Buffer.from(JSON.stringify([value, number, order])).toString('base64url');
}

function decodeCursor(cursor: string, expected: string): PageCursor {
  try {
    const [value, number, order] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const isPlace = (value === null || typeof value === 'number') && Number.isSafeInteger(number);
    if (isPlace && order === expected) return { value, number: number as number };
  } catch {
    // falls through: invalid
  }
  throw appError('bad-request', {
    reason: 'cursor: must be the nextCursor of the previous page, in the same order',
  });
}
