import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CleanUpOwner, cleanUp } from './clean-up.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A real `gatelm trainer` or `gatelm inferencer` in a process of its own. */
export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Everything that it printed. */
  readonly lines: readonly string[];
  /** Settles with the first line that contains the text, past ones included. */
  said(text: string): Promise<string>;
}

/** Starts one of one thread; it is killed after the test. */
export function startWorker(
  test: CleanUpOwner,
  args: readonly string[],
  {
    env = {},
    enter = [],
  }: {
    readonly env?: Readonly<Record<string, string>>;
    /** The command that starts it on another host. */
    readonly enter?: readonly string[];
  } = {},
): WorkerProcess {
  const [program, ...before] = [...enter, process.execPath];
  const child = spawn(program!, [...before, MAIN, ...args], {
    env: { ...process.env, GATELM_THREADS: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUp(test, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const wake of waiting) wake();
  });
  const said = (text: string) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const line = lines.find((each) => each.includes(text));
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      look();
    });
  return { process: child, lines, said };
}
