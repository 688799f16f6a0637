/**
 * Runs a program as `node run-attached.mjs PROGRAM ARGS…` and kills it when its standard input closes, that is, when the set-up
 * that started it has exited, even by SIGKILL. Otherwise an orphaned npm or make would interfere with the next set-up.
 * It is started in a process group of its own, which it kills as a whole.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const [program, ...args] = process.argv.slice(2);

const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', ({ code, message }) => {
  console.error(message);
  process.exit(code === 'ENOENT' ? 127 : 1);
});
child.once('exit', (code, signal) => {
  if (signal) console.error(`${program} was killed by ${signal}`);
  process.exit(code ?? 128 + constants.signals[signal]);
});

const killGroup = () => process.kill(-process.pid, 'SIGKILL');
process.stdin.once('close', killGroup).once('error', killGroup).resume();
