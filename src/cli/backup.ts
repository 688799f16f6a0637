import { parseEnvironment } from '../contracts/environment.js';
import { type BackupSummary, backUp, restore } from '../experiments/backup.js';

export interface BackupOptions {
  readonly dataDir?: string;
}

/** Copies the data folder, even while a server is using it. @throws as {@link backUp} */
export async function runBackup(folder: string, options: BackupOptions): Promise<void> {
  const from = folderOf(options);
  console.log(`backed up ${from} to ${folder}: ${describe(await backUp(from, folder))}`);
}

/** Restores a backup into a new data folder. @throws as {@link restore} */
export async function runRestore(folder: string, options: BackupOptions): Promise<void> {
  const to = folderOf(options);
  console.log(`restored ${folder} to ${to}: ${describe(await restore(folder, to))}`);
}

function folderOf({ dataDir }: BackupOptions): string {
  return dataDir ?? parseEnvironment(process.env).dataDir;
}

function describe({ files, bytes }: BackupSummary): string {
  return `${files} files, ${(bytes / 1e6).toFixed(1)} MB`;
}
