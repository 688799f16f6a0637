import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { appError } from '../errors.js';

/** Time that a server which is just ending gets to let go. */
const PATIENCE_MS = 3000;

/**
 * Takes a data folder for this process alone: two servers would interrupt each other's experiments. The lock is one of
 * the operating system's, so it ends with its process, however that ends.
 * @returns lets go
 * @throws database-unusable when another process has it
 */
export function lockDataFolder(folder: string, patienceMs: number = PATIENCE_MS): () => void {
  const file = join(folder, 'server.lock');
  let lock: Sqlite.Database | undefined;
  try {
    lock = new Sqlite(file, { timeout: patienceMs });
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
