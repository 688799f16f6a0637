import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { appError } from '../errors.js';
import { diskError } from '../files/disk-error.js';
import { DATABASE_FILE } from '../files/layout.js';
import { lockDataFolder } from '../store/data-lock.js';
import { openStore, type Store } from '../store/store.js';

/** The data folder of this process, as long as it holds it. */
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

  /** Makes it where there is none, and takes it. @throws database-newer, database-unusable, write-failed */
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
   * Whether its path still leads to it: whoever renames or removes it under a running server leaves the open database behind, while
   * files would be looked for, and made, elsewhere.
   * @throws data-folder-missing
   */
  assertPresent(): void {
    const actual = identityOf(this.path);
    if (actual === this.#identity) return;
    const reason = actual === null ? 'it is not there any more' : 'another folder lies at its place';
    throw appError('data-folder-missing', { folder: this.path, reason });
  }

  close(): void {
    this.store.close();
    this.#release();
  }
}

/** The same for one folder, whatever it is called. */
function identityOf(path: string): string | null {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info ? `${info.dev}:${info.ino}` : null;
}
