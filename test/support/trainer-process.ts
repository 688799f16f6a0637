import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A real `gatelm trainer` in a process of its own. */
export interface TrainerProcess {
  readonly process: ChildProcess;
  /** Everything that it printed. */
  readonly lines: readonly string[];
  /** Settles with the first line that contains the text, past ones included. */
  said(text: string): Promise<string>;
}

export interface TrainerProcessOptions {
  /** Address of Redis. */
  readonly queue: string;
  /** Address of the server; unnecessary with an exchange. */
  readonly server?: string;
  readonly folder: string;
  readonly labels?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The command that starts it on another host. */
  readonly enter?: readonly string[];
}

/** Starts a trainer of one slot and waits until it takes trainings; it is killed after the test. */
export async function startTrainer(
  test: Pick<TestContext, 'after'>,
  { queue, server, folder, labels = [], env = {}, enter = [] }: TrainerProcessOptions,
): Promise<TrainerProcess> {
  const [program, ...before] = [...enter, process.execPath];
  const child = spawn(
    program!,
    [
      ...before,
      ...[MAIN, 'trainer', '--queue', queue, '--data-dir', folder],
      ...(server === undefined ? [] : ['--server', server]),
      ...labels.flatMap((label) => ['--label', label]),
    ],
    { env: { ...process.env, GATELM_THREADS: '1', ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  test.after(async () => {
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
  await said('in parallel');
  return { process: child, lines, said };
}
