import { join } from 'node:path';
import { CuttableProxy } from '../test/support/cuttable-proxy.js';
import { freePort, NO_REDIS, RedisServer } from '../test/support/redis-server.js';
import { startTrainer, type TrainerProcess } from '../test/support/trainer-process.js';
import { RestartableServer } from './restartable-server.js';
import { type Scope, scopedFolder } from './scope.js';
import { endProcess } from './server-process.js';

/** One attempt at one experiment. */
export interface HeldLease {
  readonly id: string;
  readonly attempt: number;
}

const MAX_RESTARTS = 1000;

/** Redis, a server and trainers of one thread, each in a process of its own and each trainer behind wires that can be cut. */
export class Cluster {
  readonly folder: string;
  readonly redis: RedisServer;
  readonly server: RestartableServer;
  readonly trainers: readonly ClusterTrainer[];

  private constructor(
    scope: Scope,
    folder: string,
    redis: RedisServer,
    server: RestartableServer,
    wires: readonly Wires[],
  ) {
    this.folder = folder;
    this.redis = redis;
    this.server = server;
    this.trainers = wires.map(
      (each, index) => new ClusterTrainer(scope, join(folder, `trainer-${index}`), each),
    );
  }

  /** Starts Redis and the server; the trainers are started one by one. */
  static async start(scope: Scope, trainers: number): Promise<Cluster> {
    if (NO_REDIS) throw new Error(NO_REDIS);
    const folder = scopedFolder(scope);
    const redis = await RedisServer.start(scope);
    const port = await freePort();
    const server = new RestartableServer({
      GATELM_DATA_DIR: join(folder, 'data'),
      GATELM_PORT: String(port),
      GATELM_QUEUE: redis.address,
      GATELM_THREADS: '1',
      GATELM_MAX_RESTARTS: String(MAX_RESTARTS),
    });
    scope.after(() => server.end('SIGKILL'));
    await server.start();
    const wires: Wires[] = [];
    for (let index = 0; index < trainers; index++)
      wires.push({
        toRedis: await CuttableProxy.start(scope, Number(new URL(redis.address).port)),
        toServer: await CuttableProxy.start(scope, port),
      });
    return new Cluster(scope, folder, redis, server, wires);
  }
}

interface Wires {
  readonly toRedis: CuttableProxy;
  readonly toServer: CuttableProxy;
}

/** A trainer that can be killed, started again and cut off. */
export class ClusterTrainer {
  readonly #scope: Scope;
  readonly #folder: string;
  readonly #wires: Wires;
  readonly #processes: TrainerProcess[] = [];

  constructor(scope: Scope, folder: string, wires: Wires) {
    this.#scope = scope;
    this.#folder = folder;
    this.#wires = wires;
  }

  /** Waits until it takes trainings. */
  async start(): Promise<void> {
    const started = await startTrainer(this.#scope, {
      queue: `redis://127.0.0.1:${this.#wires.toRedis.port}`,
      server: `http://127.0.0.1:${this.#wires.toServer.port}`,
      folder: this.#folder,
    });
    this.#processes.push(started);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const current = this.#processes.at(-1);
    if (current) await endProcess(current.process, signal);
  }

  cut(): void {
    for (const wire of [this.#wires.toRedis, this.#wires.toServer]) wire.cut();
  }

  mend(): void {
    for (const wire of [this.#wires.toRedis, this.#wires.toServer]) wire.mend();
  }

  /** The training that it has taken and not let go of; null if it has none. */
  get held(): HeldLease | null {
    const lines = this.#processes.at(-1)?.lines ?? [];
    const taken = lines.findLastIndex((line) => TAKES.test(line));
    const [, id, attempt] = TAKES.exec(lines[taken] ?? '') ?? [];
    if (id === undefined || endOf(lines, taken, id) !== undefined) return null;
    return { id, attempt: Number(attempt) };
  }

  /** How it let go of a training, by what it printed; null if it has not. */
  endOf({ id, attempt }: HeldLease): string | null {
    for (const [index, { lines }] of this.#processes.entries()) {
      const taken = lines.indexOf(`takes ${id}, attempt ${attempt}`);
      if (taken < 0) continue;
      return endOf(lines, taken, id) ?? (index < this.#processes.length - 1 ? 'it was killed' : null);
    }
    return null;
  }
}

function endOf(lines: readonly string[], taken: number, id: string): string | undefined {
  return lines
    .slice(taken + 1)
    .find((line) => line.startsWith(`ends ${id}`) || line.startsWith(`released ${id}`));
}

const TAKES = /^takes (\S+), attempt (\d+)$/;
