/** Runs npm: the one that runs set-up, else the one in the path. */
import { runCommand } from './command.mjs';

/** @throws CommandError */
export function runNpm(settings, name, args) {
  const { npm_execpath: npm = '' } = settings.env;
  const runsUs = /npm-cli\.c?js$/.test(npm);
  return runCommand({
    ...settings,
    name,
    program: runsUs ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm',
    args: runsUs ? [npm, ...args] : args,
    cwd: settings.root,
  });
}
