/** Runs other programs: their output goes to a log file, the end of it is shown where they fail. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutCredentials } from './failure.mjs';

const TAIL_LINES = 25;
const RUN_ATTACHED = fileURLToPath(new URL('run-attached.mjs', import.meta.url));
/** Exit code of run-attached.mjs for a missing program, as in a shell. */
const NOT_FOUND = 127;

/** A program that failed, was stopped, or was not there. */
export class CommandError extends Error {
  constructor(message, output, logFile) {
    super(message);
    this.name = 'CommandError';
    this.output = output;
    this.logFile = logFile;
  }
}

/**
 * @param {object} command
 * @param {string} command.name of the log file and in messages
 * @param {string} command.program
 * @param {string[]} command.args
 * @param {string} command.logsDir
 * @param {string} command.cwd
 * @param {NodeJS.ProcessEnv} command.env
 * @param {number} [command.limitSeconds] it is stopped then
 * @param {RegExp} [command.reason] finds in the output why it failed: the first group becomes the error's message
 * @returns {Promise<{ output: string, logFile: string }>} all that it printed, and where that is kept
 * @throws CommandError
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
    detached: process.platform !== 'win32', // a process group, to be killed as a whole
  });
  closeSync(log);
  let late = false;
  function stop() {
    late = true;
    child.stdin.destroy();
  }
  const timer = limitSeconds && setTimeout(stop, limitSeconds * 1000);
  const { code, signal, error } = await new Promise((settle) => {
    child.once('error', (error) => settle({ error }));
    child.once('close', (code, signal) => settle({ code, signal }));
  });
  clearTimeout(timer);
  const output = withoutCredentials(readFileSync(logFile, 'utf8')).trimEnd();
  if (code === 0) return { output, logFile };
  throw new CommandError(whatHappened(), lastLines(output), logFile);

  function whatHappened() {
    const found = reason?.exec(output)?.[1];
    if (found) return found.trim();
    if (code === NOT_FOUND) return `${program} was not found`;
    if (error) return `${program} did not start: ${error.message}`;
    if (late) return `${name} was stopped: it took longer than ${limitSeconds} s`;
    return signal ? `${name} ended by ${signal}` : `${name} failed with exit code ${code}`;
  }
}

/** The last lines of an output, empty ones left out. */
export function lastLines(text, count = TAIL_LINES) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  return lines.slice(-count).join('\n');
}
