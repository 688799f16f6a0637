import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type CleanUpOwner, cleanUp } from './clean-up.js';
import { temporaryFolder } from './service.js';

const BINARY = ['valkey-server', 'redis-server'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** When Redis flushes its file to the disk; everysec is its default. */
type FileSync = 'always' | 'everysec';

/** Why there is no Redis to test with; false = there is one. For the option `skip` of a test. */
export const NO_REDIS = BINARY ? false : 'neither valkey-server nor redis-server is installed here';

/** A Redis of the test's own on a free port, which writes down everything before it answers, unless it syncs every second. */
export class RedisServer {
  readonly address: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #sync: FileSync;
  #process: ChildProcess | null = null;

  private constructor(folder: string, port: number, sync: FileSync) {
    this.#folder = folder;
    this.#port = port;
    this.#sync = sync;
    this.address = `redis://127.0.0.1:${port}`;
  }

  static async start(test: CleanUpOwner, sync: FileSync = 'always'): Promise<RedisServer> {
    const server = new RedisServer(temporaryFolder(test), await freePort(), sync);
    cleanUp(test, () => server.end('SIGKILL'));
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async start(): Promise<void> {
    const { pathname } = new URL(`file://${this.#folder}`);
    const options = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--dir', pathname, '--save', ''];
    const child = spawn(BINARY!, [...options, '--appendonly', 'yes', '--appendfsync', this.#sync], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout }))
      if (/ready to accept connections/i.test(line)) break;
    child.stdout.resume();
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** A port of this machine that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
