import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../files/disk-error.js';
import { EXPERIMENTS, experimentKey, pathOf } from '../files/layout.js';
import type { Store } from '../store/store.js';

const DELETED = '.deleted-';
/** A file beside a folder whose experiment is not stored yet. */
const COMING = '.coming-';

/**
 * Makes the folder of an experiment that is to begin with files: `fill` writes them and then stores the experiment. Where it
 * fails the folder goes, and what a crash leaves in between is found, see {@link tidyFolders}.
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
  const removeMarker = () => rm(marker, { force: true }).catch(() => {}); // else the next start does it
  const result = await fill(folder).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    await removeMarker();
    throw error;
  });
  await removeMarker();
  return result;
}

/**
 * Deletes the folder of an experiment together with its row: it is set aside first, so that what a crash leaves in between
 * is found and brought to one end or the other, see {@link tidyFolders}.
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
 * Ends what a server that is gone had begun. Of a deletion: without a row the files go, with one they are put back. Of a
 * folder that was being filled: without a row it goes. Any other folder without a row is left alone: it may belong to a
 * database that is brought back.
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
