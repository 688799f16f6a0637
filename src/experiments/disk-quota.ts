import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../contracts/environment.js';
import { appError } from '../errors.js';

/**
 * Refuses what would need room when the data folder has reached its quota.
 * @throws disk-quota-exceeded
 */
export async function assertRoomOnDisk({
  dataDir,
  diskQuotaBytes: quota,
}: Pick<Environment, 'dataDir' | 'diskQuotaBytes'>): Promise<void> {
  if (quota === 0) return;
  const used = await sizeOf(dataDir);
  if (used >= quota) throw appError('disk-quota-exceeded', { used, quota });
}

/** Bytes of all files below a folder; what vanishes meanwhile counts nothing. */
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
