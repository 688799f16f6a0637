import { parseEnvironment } from '../contracts/environment.js';
import { type BackupSummary, backUp, restore } from '../experiments/backup.js';
import { print } from './server-command.js';

export interface BackupOptions {
  readonly json?: boolean;
  readonly dataDir?: string;
}

/** Copies the data folder, even while a server is using it. @throws as {@link backUp} */
export async function runBackup(folder: string, options: BackupOptions): Promise<void> {
  const from = folderOf(options);
  const summary = await backUp(from, folder);
  print(
    options,
    { from, to: folder, ...summary },
    () => `backed up ${from} to ${folder}: ${describe(summary)}`,
  );
}

/** Restores a backup into a new data folder. @throws as {@link restore} */
export async function runRestore(folder: string, options: BackupOptions): Promise<void> {
  const to = folderOf(options);
  const summary = await restore(folder, to);
  print(options, { from: folder, to, ...summary }, () => `restored ${folder} to ${to}: ${describe(summary)}`);
}

function folderOf({ dataDir }: BackupOptions): string {
  return dataDir ?? parseEnvironment(process.env).dataDir;
}

function describe({ files, bytes }: BackupSummary): string {
  return `${files} files, ${(bytes / 1e6).toFixed(1)} MB`;
}
