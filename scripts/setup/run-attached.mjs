/**
 * `node run-attached.mjs PROGRAM ARGS…` runs a program and kills it when its standard input closes, that is, when the set-up
 * that started it has exited, even by SIGKILL: an orphaned npm or make would interfere with the next set-up.
 * It is started in a process group of its own, which it kills as a whole.
 */
import { spawn } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
const killGroup = () => process.kill(-process.pid, 'SIGKILL');

const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', ({ message }) => {
  console.error(message);
  process.exit(127); // as a shell does for a missing program
});
child.once('exit', (code, signal) => {
  if (signal) console.error(`${program} was killed by ${signal}`);
  process.exit(code ?? 1);
});
process.stdin.once('close', killGroup).once('error', killGroup).resume();
