import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../store/store.js';
import { experimentDirectory } from './training-queue.js';

const DELETED = '.deleted-';

/**
 * Deletes the folder of an experiment together with its row: it is set aside first, so that what a crash leaves in between
 * is found and brought to one end or the other, see {@link tidyDeleted}.
 */
export async function deleteFolder(dataDirectory: string, id: string, deleteRow: () => void): Promise<void> {
  const folder = experimentDirectory(dataDirectory, id);
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

/** Ends what deletions left that were cut short: without a row the files go, with one they are put back. */
export function tidyDeleted(dataDirectory: string, { experiments }: Pick<Store, 'experiments'>): void {
  const root = join(experimentDirectory(dataDirectory, '.'));
  if (!existsSync(root)) return;
  for (const name of readdirSync(root).filter((entry) => entry.startsWith(DELETED))) {
    const id = name.slice(DELETED.length);
    const folder = experimentDirectory(dataDirectory, id);
    if (experiments.find(id) && !existsSync(folder)) renameSync(join(root, name), folder);
    else rmSync(join(root, name), { recursive: true, force: true });
  }
}

function asideOf(dataDirectory: string, id: string): string {
  return experimentDirectory(dataDirectory, `${DELETED}${id}`);
}
