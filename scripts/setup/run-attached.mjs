/**
 * Runs a program as `node run-attached.mjs PROGRAM ARGS…` and kills it when its standard input closes, that is, when the set-up
 * that started it has exited, even by SIGKILL. Otherwise an orphaned npm or make would interfere with the next set-up.
 * It is started in a process group of its own, which it kills as a whole.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const NOT_FOUND = 127;
const [program, ...args] = process.argv.slice(2);

const child = spawn(program, args, {
  stdio: ['ignore', 'inherit', 'inherit'],
  shell: process.platform === 'win32' && /\.(cmd|bat)$/.test(program),
});
child.once('error', (error) => {
  console.error(error.message);
  process.exit(error.code === 'ENOENT' ? NOT_FOUND : 1);
});
child.once('exit', (code, signal) => {
  if (signal) console.error(`${program} was killed by ${signal}`);
  process.exit(code ?? 128 + constants.signals[signal]);
});

process.stdin.once('close', killGroup).once('error', killGroup).resume();

function killGroup() {
  if (process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-process.pid, 'SIGKILL');
}
