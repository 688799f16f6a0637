/** Runs other programs: their output goes to a log file, the end of it is shown where they fail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLines, withoutCredentials } from './output.mjs';

const TAIL_LINES = 25;
const RUN_ATTACHED = fileURLToPath(new URL('run-attached.mjs', import.meta.url));

/**
 * Runs a program; its `name` is that of the log file. It is stopped after `limitSeconds`.
 * @param {{ reason?: RegExp }} command `reason` finds in the output why it failed: the first group is the error's message
 * @returns {Promise<string>} all that it printed, after the command line
 * @throws Error with the end of its `output`, and the `logFile`
 */
export async function runCommand({ name, program, args, logsDir, cwd, env, limitSeconds = 3600, reason }) {
  mkdirSync(logsDir, { recursive: true });
  const logFile = join(logsDir, `${name}.log`);
  const log = openSync(logFile, 'w');
  writeSync(log, `${[program, ...args].join(' ')}\n`);
  const child = spawn(process.execPath, [RUN_ATTACHED, program, ...args], {
    cwd,
    env,
    stdio: ['pipe', log, log], // the pipe closes with this process
    detached: true, // a process group, to be killed as a whole
  });
  closeSync(log);
  let failure;
  function stop() {
    failure = `${name} was stopped: it took longer than ${limitSeconds} s`;
    child.stdin.destroy();
  }
  const timer = setTimeout(stop, limitSeconds * 1000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  const output = withoutCredentials(readFileSync(logFile, 'utf8')).trimEnd();
  if (code === 0) return output;
  failure ??= reason?.exec(output)?.[1].trim();
  failure ??= code === 127 ? `${program} was not found` : `${name} failed with exit code ${code}`;
  const printed = output.split('\n').slice(1).join('\n');
  throw Object.assign(new Error(failure), { output: lastLines(printed, TAIL_LINES), logFile });
}

/** Runs npm. @param {object} command as for runCommand, without the program */
export function runNpm(settings, command) {
  return runCommand({ ...settings, ...command, program: 'npm' });
}
