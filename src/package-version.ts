import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Above the compiled files. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GIT_LIMIT_MS = 5000;

/** The version of gatelm, from its package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }).version;
}

let commit: string | null | undefined;

/** The commit of this checkout, with `-dirty` behind it if files were changed; null without git, as in an installed package. */
export function packageCommit(): string | null {
  if (commit === undefined) commit = readCommit();
  return commit;
}

function readCommit(): string | null {
  if (!existsSync(`${ROOT}.git`)) return null; // that of a folder above would be another project's
  const args = ['--no-optional-locks', 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
  try {
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: GIT_LIMIT_MS,
    }).trim();
  } catch {
    return null;
  }
}
