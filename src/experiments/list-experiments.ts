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
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const { experiments, next } = store.page({ ...query, after });
  return { items: viewExperiments(store, experiments), nextCursor: next && encodeCursor(next) };
}

function encodeCursor({ value, number }: PageCursor): string {
  return Buffer.from(JSON.stringify([value, number])).toString('base64url');
}

function decodeCursor(cursor: string): PageCursor {
  try {
    const [value, number] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if ((value === null || typeof value === 'number') && Number.isSafeInteger(number))
      return { value, number: number as number };
  } catch {
    // falls through: invalid
  }
  throw appError('bad-request', { reason: 'cursor: must be the nextCursor of the previous page' });
}
