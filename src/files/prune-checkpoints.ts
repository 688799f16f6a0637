import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isKeptCheckpoint, LATEST_CHECKPOINT } from './layout.js';

/** Deletes the files in `checkpoints` that no record (latest or kept) names. */
export function pruneCheckpoints(folder: string): void {
  if (!existsSync(folder)) return;
  const files = readdirSync(folder);
  const records = files.filter((file) => file === LATEST_CHECKPOINT || isKeptCheckpoint(file));
  const named = records.map((record) => readFileSync(join(folder, record), 'utf8'));
  for (const file of files) {
    const isNeeded = records.includes(file) || named.some((json) => json.includes(file));
    if (!isNeeded) rmSync(join(folder, file), { force: true });
  }
}
