import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../contracts/environment.js';
import { appError } from '../errors.js';
import type { DataFolder } from './data-folder.js';

/**
 * Refuses operations that need disk space if the data folder has reached its quota or is missing.
 * @throws disk-quota-exceeded, data-folder-missing
 */
export async function assertRoomOnDisk(
  folder: Pick<DataFolder, 'path' | 'assertPresent'>,
  { diskQuotaBytes: quota }: Pick<Environment, 'diskQuotaBytes'>,
): Promise<void> {
  folder.assertPresent();
  if (quota === 0) return;
  const used = await sizeOf(folder.path);
  if (used >= quota) throw appError('disk-quota-exceeded', { used, quota });
}

/** Bytes of all files below a folder; files that vanish in the meantime count as 0. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sizeOf(path);
      return stat(path).then(
        ({ size }) => size,
        () => 0,
      );
    }),
  );
  return sizes.reduce((total, size) => total + size, 0);
}
