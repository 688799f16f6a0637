import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
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
  try {
    const top = git('rev-parse', '--show-toplevel');
    if (realpathSync(top) !== realpathSync(ROOT)) return null; // another project has it in its node_modules
    return git('describe', '--always', '--dirty', '--abbrev=40', '--exclude=*');
  } catch {
    return null;
  }
}

function git(...args: string[]): string {
  return execFileSync('git', ['--no-optional-locks', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: GIT_LIMIT_MS,
  }).trim();
}
