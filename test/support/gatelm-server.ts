import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Experiment } from '../../src/contracts/experiment.js';
import { type CleanUpOwner, cleanUp } from './clean-up.js';

export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A real server in a process of its own, on a free port. */
export interface GatelmServer {
  readonly address: string;
  readonly socketAddress: string;
  readonly process: ChildProcess;
  /** Everything that it printed for people. */
  readonly lines: string[];
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
  get<Answer>(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** POST /experiments */
  train(config: object): Promise<Experiment>;
}

/** Starts `gatelm serve` and waits until it listens; it is stopped after the test. Requests bring GATELM_API_KEYS, if that is one key. */
export async function startGatelm(
  test: CleanUpOwner,
  dataDir: string,
  env: Record<string, string> = {},
): Promise<GatelmServer> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...process.env, GATELM_DATA_DIR: dataDir, GATELM_PORT: '0', GATELM_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const stop = () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    return exited;
  };
  cleanUp(test, stop);
  const lines: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const listens = /listens on (http\S+)/.exec(line)?.[1];
      if (listens) resolve(listens);
    });
    void exited.then((code) => reject(new Error(`the server ended with code ${code}`)));
  });
  const key = env.GATELM_API_KEYS;
  const request = async (path: string, { headers, ...options }: RequestInit = {}) => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(address + path, { ...options, headers: { ...authorization, ...headers } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  };
  return {
    address,
    socketAddress: address.replace(/^http/, 'ws'),
    process: child,
    lines,
    stop,
    get: (path, headers = {}) => request(path, { headers }),
    train: async (config) =>
      Experiment.parse(
        await request('/experiments', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(config),
        }),
      ),
  };
}
