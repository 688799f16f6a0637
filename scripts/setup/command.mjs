/** Runs other programs: their output goes to a log file, the end of it is shown where they fail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutCredentials } from './failure.mjs';

const TAIL_LINES = 25;
const RUN_ATTACHED = fileURLToPath(new URL('run-attached.mjs', import.meta.url));
/** Exit code of run-attached.mjs for a missing program, as in a shell. */
const NOT_FOUND = 127;

/**
 * Runs a program; its `name` is that of the log file. It is stopped after `limitSeconds`.
 * @param {{ reason?: RegExp }} command `reason` finds in the output why it failed: the first group is the error's message
 * @returns {Promise<{ output: string, logFile: string }>} all that it printed, and where that is kept
 * @throws Error with the end of its `output`, and the `logFile`
 */
export async function runCommand({ name, program, args, logsDir, cwd, env, limitSeconds, reason }) {
  mkdirSync(logsDir, { recursive: true });
  const logFile = join(logsDir, `${name}.log`);
  const log = openSync(logFile, 'w');
  writeSync(log, `${[program, ...args].join(' ')}\n`);
  const child = spawn(process.execPath, [RUN_ATTACHED, program, ...args], {
    cwd,
    env,
    stdio: ['pipe', log, log], // run-attached.mjs kills the group when the pipe closes, however this process ends
    detached: true, // a process group, to be killed as a whole
  });
  closeSync(log);
  let failure = '';
  function stop() {
    failure = `${name} was stopped: it took longer than ${limitSeconds} s`;
    child.stdin.destroy();
  }
  const timer = limitSeconds && setTimeout(stop, limitSeconds * 1000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  const output = withoutCredentials(readFileSync(logFile, 'utf8')).trimEnd();
  if (code === 0) return { output, logFile };
  failure ||= reason?.exec(output)?.[1].trim();
  failure ||= code === NOT_FOUND ? `${program} was not found` : `${name} failed with exit code ${code}`;
  const [, ...printed] = output.split('\n'); // the first line is the command
  throw Object.assign(new Error(failure), { output: lastLines(printed.join('\n')), logFile });
}

/** Runs npm: the one that runs set-up, else the one in the path. */
export function runNpm(settings, name, args) {
  const { npm_execpath: npm = '' } = settings.env;
  const [program, ...first] = /npm-cli\.c?js$/.test(npm) ? [process.execPath, npm] : ['npm'];
  return runCommand({ ...settings, name, program, args: [...first, ...args], cwd: settings.root });
}

/** The last lines of an output, empty ones left out. */
export function lastLines(text, count = TAIL_LINES) {
  const lines = text.split('\n').filter((line) => line.trim());
  return lines.slice(-count).join('\n');
}
