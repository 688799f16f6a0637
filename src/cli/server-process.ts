import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;

/** `gatelm serve` as a child process; it exits with this process, however this one exits. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  /** Such as http://127.0.0.1:8080. */
  readonly address: string;
  /** The line that the server printed when it was ready. */
  readonly greeting: string;

  private constructor(child: ChildProcess, greeting: string, exit: Promise<number | null>) {
    this.#child = child;
    this.#exit = exit;
    this.greeting = greeting;
    this.address = /https?:\/\/\S+/.exec(greeting)?.[0] ?? '';
  }

  /**
   * Starts it on the port of the environment, or on a free one if that is taken, and waits until it listens.
   * @throws Error if it exits before that; the reason is on stderr
   */
  static async start(env: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const host = env.GATELM_HOST || DEFAULT_HOST;
    const port = Number(env.GATELM_PORT || DEFAULT_PORT);
    const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), ['serve'], {
      env: { GATELM_LOG_LEVEL: 'warn', ...env, GATELM_PORT: String((await isFree(host, port)) ? port : 0) },
      detached: true, // Ctrl-C reaches this process, which forwards it once
      execArgv: [],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const exit = once(child, 'exit').then(([code]) => code as number | null);
    const greeting = await Promise.race([
      firstLine(child),
      exit.then((code) => {
        throw new Error(`The server exited during start-up (code ${code}); see its output above`);
      }),
    ]);
    return new ServerProcess(child, greeting, exit);
  }

  /** Settles when the process has exited. */
  get ended(): Promise<number | null> {
    return this.#exit;
  }

  /** Stops the server and waits until it has exited. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exit;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = await once(lines, 'line');
  return String(line);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
