import Sqlite from 'better-sqlite3';
import { appError } from '../errors.js';

/** What SQLite failed at, in our words; any other error as it is. */
export function describeSqliteError(error: unknown, file: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') return appError('out-of-disk', { file }, error);
  // A broken rule of the schema is a mistake of ours, not a state of the disk.
  if (error.code.startsWith('SQLITE_CONSTRAINT') || error.code === 'SQLITE_ERROR') return error;
  return appError('database-unusable', { file, reason: `${error.message} (${error.code})` }, error);
}
