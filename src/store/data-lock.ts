import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { appError } from '../errors.js';

/** Time for a server that is shutting down to release the lock. */
const SHUTDOWN_MS = 3000;

/**
 * Locks a data folder for this process: two servers would interrupt each other's experiments. It is a lock of the operating
 * system, so it is released when the process ends, for whatever reason.
 * @returns a function that releases the lock
 * @throws database-unusable when another process holds the lock
 */
export function lockDataFolder(folder: string, timeoutMs: number = SHUTDOWN_MS): () => void {
  const file = join(folder, 'server.lock');
  let lock: Sqlite.Database | undefined;
  try {
    lock = new Sqlite(file, { timeout: timeoutMs });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    const { code = '', message } = error as Error & { code?: string };
    const isTaken = code.startsWith('SQLITE_BUSY');
    const reason = isTaken ? 'another gatelm server uses this folder' : message;
    throw appError('database-unusable', { file: folder, reason }, error);
  }
  const held = lock;
  return () => void held.close();
}
