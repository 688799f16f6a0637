import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Cleanup = () => unknown;

/** Where what is started registers how it ends, as with the context of a test. */
export interface Scope {
  after(cleanup: Cleanup): void;
}

/** Runs `body`, then what was registered, the last first. */
export async function withScope<Result>(body: (scope: Scope) => Promise<Result>): Promise<Result> {
  const cleanups: Cleanup[] = [];
  try {
    return await body({ after: (cleanup) => cleanups.push(cleanup) });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** A folder that is deleted at the end. */
export function scopedFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-bench-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
