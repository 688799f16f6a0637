import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../files/disk-error.js';
import { EXPERIMENTS, experimentKey, pathOf } from '../files/layout.js';
import type { Store } from '../store/store.js';

const DELETED = '.deleted-';
/** Prefix of the marker file beside a folder whose experiment is not stored yet. */
const COMING = '.coming-';

/**
 * Creates the folder of an experiment that starts with files: `fill` writes them and then stores the experiment. If it
 * fails, the folder is removed; the leftovers of a crash are cleaned up by {@link tidyFolders}.
 * @throws out-of-disk, write-failed, and what `fill` throws
 */
export async function fillFolder<Result>(
  dataDirectory: string,
  id: string,
  fill: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = pathOf(dataDirectory, experimentKey(id));
  const marker = pathOf(dataDirectory, experimentKey(`${COMING}${id}`));
  try {
    await mkdir(dirname(marker), { recursive: true });
    await writeFile(marker, '');
    await mkdir(folder);
  } catch (error) {
    throw diskError(marker, error);
  }
  const removeMarker = () => rm(marker, { force: true }).catch(() => {}); // otherwise the next start does it
  const result = await fill(folder).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    await removeMarker();
    throw error;
  });
  await removeMarker();
  return result;
}

/**
 * Deletes the folder of an experiment together with its row: it is renamed first, so that after a crash {@link tidyFolders}
 * can complete the deletion or undo it.
 */
export async function deleteFolder(dataDirectory: string, id: string, deleteRow: () => void): Promise<void> {
  const folder = pathOf(dataDirectory, experimentKey(id));
  const aside = asideOf(dataDirectory, id);
  const isThere = existsSync(folder);
  if (isThere) renameSync(folder, aside);
  try {
    deleteRow();
  } catch (error) {
    if (isThere) renameSync(aside, folder);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/**
 * Completes or undoes operations that a crash interrupted. A deletion: without a row the files are removed, with one they are restored. A
 * folder that was being filled: without a row it is removed. Any other folder without a row is kept: it may belong to a
 * database that will be restored.
 */
export function tidyFolders(dataDirectory: string, { experiments }: Pick<Store, 'experiments'>): void {
  const root = pathOf(dataDirectory, EXPERIMENTS);
  if (!existsSync(root)) return;
  for (const name of readdirSync(root)) {
    const prefix = [DELETED, COMING].find((known) => name.startsWith(known));
    if (prefix === undefined) continue;
    const id = name.slice(prefix.length);
    const folder = pathOf(dataDirectory, experimentKey(id));
    const isStored = experiments.find(id) !== undefined;
    if (prefix === COMING && !isStored) rmSync(folder, { recursive: true, force: true });
    if (prefix === DELETED && isStored && !existsSync(folder)) renameSync(join(root, name), folder);
    else rmSync(join(root, name), { recursive: true, force: true });
  }
}

function asideOf(dataDirectory: string, id: string): string {
  return pathOf(dataDirectory, experimentKey(`${DELETED}${id}`));
}
