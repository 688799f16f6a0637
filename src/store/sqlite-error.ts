import Sqlite from 'better-sqlite3';
import { appError } from '../errors.js';

/** Maps errors of SQLite to application errors; returns any other error unchanged. */
export function describeSqliteError(error: unknown, file: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') return appError('out-of-disk', { file }, error);
  // A violated constraint is a bug, not a state of the disk.
  if (error.code.startsWith('SQLITE_CONSTRAINT') || error.code === 'SQLITE_ERROR') return error;
  return appError('database-unusable', { file, reason: `${error.message} (${error.code})` }, error);
}
