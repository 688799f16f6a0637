/** Runs other programs: their output goes to a log file, the end of it is shown where they fail. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutCredentials } from './failure.mjs';

const TAIL_LINES = 25;
const LEASH = fileURLToPath(new URL('leash.mjs', import.meta.url));
/** The leash's exit code, as a shell's. */
const NOT_FOUND = 127;
const running = new Set();

/** A program that failed, was stopped, or was not there. */
export class CommandError extends Error {
  constructor(message, { output = '', logFile, signal } = {}) {
    super(message);
    this.name = 'CommandError';
    this.output = output;
    this.logFile = logFile;
    this.signal = signal;
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
 * @returns {Promise<{ output: string, logFile: string }>} all that it printed, and where that is kept
 * @throws CommandError
 */
export async function runCommand({ name, program, args, logsDir, cwd, env, limitSeconds }) {
  mkdirSync(logsDir, { recursive: true });
  const logFile = join(logsDir, `${name}.log`);
  const log = openSync(logFile, 'w');
  writeSync(log, `${[program, ...args].join(' ')}\n`);
  const child = spawn(process.execPath, [LEASH, program, ...args], {
    cwd,
    env,
    stdio: ['pipe', log, log], // the pipe is the leash: it closes when this process ends, however it ends
    detached: process.platform !== 'win32', // its own group, so that its children end with it
  });
  closeSync(log);
  running.add(child);
  const { code, signal, error, late } = await ended(child, limitSeconds);
  running.delete(child);
  const output = withoutCredentials(readFileSync(logFile, 'utf8')).trimEnd();
  if (code === 0) return { output, logFile };
  throw new CommandError(whatHappened({ name, program, code, signal, error, late, limitSeconds }), {
    output: lastLines(output),
    logFile,
    signal,
  });
}

function ended(child, limitSeconds) {
  return new Promise((resolve) => {
    let late = false;
    const timer =
      limitSeconds &&
      setTimeout(() => {
        late = true;
        killGroup(child, 'SIGKILL');
      }, limitSeconds * 1000);
    function settle(result) {
      clearTimeout(timer);
      resolve({ late, ...result });
    }
    child.once('error', (error) => settle({ error }));
    child.once('close', (code, signal) => settle({ code, signal }));
  });
}

function whatHappened({ name, program, code, signal, error, late, limitSeconds }) {
  if (code === NOT_FOUND) return `${program} was not found`;
  if (error) return `${program} did not start: ${error.message}`;
  if (late) return `${name} was stopped: it took longer than ${limitSeconds} s`;
  return signal ? `${name} ended by ${signal}` : `${name} failed with exit code ${code}`;
}

/** The last lines of an output, empty ones left out. */
export function lastLines(text, count = TAIL_LINES) {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim())
    .slice(-count)
    .join('\n');
}

function killGroup(child, signal) {
  try {
    if (child.pid && process.platform !== 'win32') process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * Ctrl-C and SIGTERM end the programs that run, then set-up: `exit` handlers release what it holds. SIGKILL, since npm
 * goes on for a while after any other; every step begins anew after it.
 */
export function stopCommandsOnSignal() {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  function stop(signal) {
    for (const child of running) killGroup(child, 'SIGKILL');
    process.exit(codes[signal]);
  }
  for (const signal of Object.keys(codes)) process.once(signal, stop);
  return () => {
    for (const signal of Object.keys(codes)) process.off(signal, stop);
  };
}
