import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, on a free port. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly address: string;
}

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** Starts `gatelm serve` and waits until it listens. */
export async function startServer(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...process.env,
      GATELM_PORT: '0',
      GATELM_LOG_LEVEL: 'fatal',
      GATELM_SHUTDOWN_GRACE_MS: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { process: child, address: await firstMatch(child, /listens on (http\S+)/) };
}

/** Ends a process that was started here, and waits for its end. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

/** What the pattern's group matches in the first line that a process prints and it fits. */
export function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const found = pattern.exec(line)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the process ended with code ${code}`)));
  });
}

/** Memory of a process now (VmRSS), or the most that it ever held (VmHWM), in bytes. */
export function memoryOf(pid: number | undefined, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}
