import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { appError } from '../errors.js';
import { diskError } from '../files/disk-error.js';
import { DATABASE_FILE } from '../files/layout.js';
import { lockDataFolder } from '../store/data-lock.js';
import { openStore, type Store } from '../store/store.js';

/** The data folder of this process, which holds its lock. */
export class DataFolder {
  readonly path: string;
  readonly store: Store;
  readonly #release: () => void;
  readonly #identity: string;

  private constructor(path: string, store: Store, release: () => void) {
    this.path = path;
    this.store = store;
    this.#release = release;
    this.#identity = identityOf(path)!;
  }

  /** Creates the folder if it is missing, and locks it. @throws database-newer, database-unusable, write-failed */
  static open(dataDirectory: string): DataFolder {
    const path = resolve(dataDirectory);
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw diskError(path, error);
    }
    const release = lockDataFolder(path);
    try {
      return new DataFolder(path, openStore(join(path, DATABASE_FILE)), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Checks that the path still leads to this folder: if it is renamed or removed under a running server, the database stays open while
   * files would be read and written elsewhere.
   * @throws data-folder-missing
   */
  assertPresent(): void {
    const actual = identityOf(this.path);
    if (actual === this.#identity) return;
    const reason = actual === null ? 'it no longer exists' : 'it was replaced by another folder';
    throw appError('data-folder-missing', { folder: this.path, reason });
  }

  close(): void {
    this.store.close();
    this.#release();
  }
}

/** Identifies a folder independent of its name. */
function identityOf(path: string): string | null {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info ? `${info.dev}:${info.ino}` : null;
}
