import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { AppError, appError } from '../errors.js';
import { assertNotNewer, migrate } from './migrate.js';

export type Database = Sqlite.Database;

/** How long a statement waits for another process (a backup, a shell) that holds the file. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the database and applies pending migrations.
 * @throws database-newer, database-unusable
 */
export function openDatabase(file: string): Database {
  let database: Database | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS });
    assertNotNewer(database);
    database.pragma('journal_mode = WAL');
    // FULL: an event that a client has seen survives a power failure. It costs one fsync per commit, and a training commits at
    // most a few times a second.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('temp_store = MEMORY');
    migrate(database);
    // SQLite's own lower() knows ASCII alone.
    database.function('lower_case', { deterministic: true }, (text) => String(text).toLowerCase());
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof AppError) throw error;
    throw appError('database-unusable', { file, reason: (error as Error).message }, error);
  }
}
