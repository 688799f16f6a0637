/** Trainings that are killed again and again, and what must hold all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import WebSocket from 'ws';
import { endProcess, type ServerProcess, startServer } from './server-process.js';

export interface ChaosOptions {
  readonly kills: number;
  readonly seed: number;
  readonly experiments: number;
  /** Longest time between a server that listens, or a host that was killed, and the next kill. */
  readonly maxPauseMs: number;
  /** Of each experiment; long enough that it still trains when the last kill comes. */
  readonly epochs: number;
  readonly log?: (line: string) => void;
}

export interface ChaosReport {
  readonly kills: { readonly server: number; readonly host: number };
  /** Kills that came while at least one experiment trained. */
  readonly killsWhileTraining: number;
  readonly eventsReceived: number;
  /** What must be empty: each line says what did not hold. */
  readonly violations: readonly string[];
  readonly experiments: readonly {
    readonly digest: string;
    readonly digestLeftAlone: string;
    readonly events: number;
    readonly attempts: number;
  }[];
}

interface Event {
  readonly seq: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const SLOTS = 2;
const LEAST_PAUSE_MS = 50;

/**
 * Trains the same experiments twice, once left alone and once with kills of the server and of the training host at random
 * moments. Clients follow all the while, and come back after each loss with the number of the last event that they have.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { experiments, epochs, log = () => {} } = options;
  const configs = Array.from({ length: experiments }, (_, index) => configOf(index, epochs));
  const alone = await withServer(async (server) => {
    const ids = await createAll(server, configs);
    const followers = ids.map((id) => new Follower(server, id));
    return (await Promise.all(followers.map(({ digest }) => digest))).map(String);
  });
  log(`left alone: ${alone.length} experiments succeeded`);
  return withServer(async (server) => {
    const ids = await createAll(server, configs);
    const followers = ids.map((id) => new Follower(server, id));
    const kills = await killAgainAndAgain(server, followers, options);
    const digests = await Promise.all(followers.map(({ digest }) => digest));
    const stored = await Promise.all(ids.map((id) => readEvents(server, id)));
    const violations = [
      ...kills.violations,
      ...followers.flatMap((follower, index) => follower.compare(stored[index]!)),
      ...digests.flatMap((digest, index) =>
        digest === alone[index]
          ? []
          : [`${ids[index]}: its weights are ${digest}, left alone ${alone[index]}`],
      ),
    ];
    return {
      kills: { server: kills.server, host: kills.host },
      killsWhileTraining: kills.whileTraining,
      eventsReceived: followers.reduce((total, { received }) => total + received, 0),
      violations,
      experiments: digests.map((digest, index) => ({
        digest: digest ?? 'none',
        digestLeftAlone: alone[index]!,
        events: stored[index]!.length,
        attempts: stored[index]!.filter(({ type }) => type === 'preparing').length,
      })),
    };
  });
}

/** Different in what can go wrong: optimizer, dropout (its counters), length of the batches, seed. */
function configOf(index: number, epochs: number) {
  return {
    name: `chaos-${index}`,
    corpus: 'handbook',
    tokenizer: { type: 'word', vocabularySize: 500 },
    model: {
      embeddingSize: 16,
      hiddenSizes: [16],
      dropout: { kind: index % 2 === 0 ? 'standard' : 'variational', input: 0.2, output: 0.2 },
    },
    optimizer: [{ type: 'sgd' }, { type: 'adam' }, { type: 'nt-asgd', nonMonotoneInterval: 1 }][index % 3],
    training: {
      epochs,
      batchSize: 50,
      bpttLength: 20,
      variableBptt: index % 2 === 1,
      sampleLength: 5,
      checkpointEvery: 20,
      seed: index + 1,
    },
  };
}

/** A server that can be killed and started again on the same data. */
class Server {
  readonly #dataDir: string;
  #server: ServerProcess | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async start(): Promise<void> {
    this.#server = await startServer({
      GATELM_DATA_DIR: this.#dataDir,
      GATELM_THREADS: '1',
      GATELM_TRAINING_SLOTS: String(SLOTS),
      GATELM_MAX_RESTARTS: '1000',
    });
  }

  get address(): string {
    return this.#server!.address;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#server) await endProcess(this.#server.process, signal);
  }

  async get<Answer>(path: string): Promise<Answer> {
    const answer = await fetch(this.address + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }
}

async function withServer<Result>(body: (server: Server) => Promise<Result>): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-chaos-'));
  const server = new Server(dataDir);
  try {
    await server.start();
    return await body(server);
  } finally {
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function createAll(server: Server, configs: readonly object[]): Promise<string[]> {
  const ids: string[] = [];
  for (const config of configs) {
    const answer = await fetch(`${server.address}/experiments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(config),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
    ids.push(((await answer.json()) as { id: string }).id);
  }
  return ids;
}

/** Follows one experiment to its end over as many connections as that takes. */
class Follower {
  /** SHA-256 over the final weights; null when it did not succeed. */
  readonly digest: Promise<string | null>;
  readonly #server: Server;
  readonly #id: string;
  readonly #events: string[] = [];
  readonly #violations: string[] = [];
  #last: Event | null = null;

  constructor(server: Server, id: string) {
    this.#server = server;
    this.#id = id;
    this.digest = this.#follow();
  }

  get received(): number {
    return this.#events.length;
  }

  get hasEnded(): boolean {
    return this.#last !== null && ['succeeded', 'failed', 'cancelled'].includes(this.#last.type);
  }

  /** What the store has otherwise than it was sent. */
  compare(stored: readonly Event[]): string[] {
    const violations = [...this.#violations];
    stored.forEach(({ seq }, index) => {
      if (seq !== index + 1)
        violations.push(`${this.#id}: event ${index + 1} is stored with the number ${seq}`);
    });
    this.#events.forEach((event, index) => {
      if (JSON.stringify(stored[index]) !== event)
        violations.push(
          `${this.#id}: event ${index + 1} was sent as ${event}, stored as ${JSON.stringify(stored[index])}`,
        );
    });
    if (stored.length !== this.#events.length)
      violations.push(`${this.#id}: ${stored.length} events are stored, ${this.#events.length} came`);
    return violations;
  }

  async #follow(): Promise<string | null> {
    while (!this.hasEnded) {
      await this.#connect();
      await after(20);
    }
    const { type, data } = this.#last!;
    if (type !== 'succeeded') this.#violations.push(`${this.#id} ended as ${type}: ${JSON.stringify(data)}`);
    return typeof data.digest === 'string' ? data.digest : null;
  }

  /** One connection, to its end. */
  #connect(): Promise<void> {
    const address = this.#server.address.replace(/^http/, 'ws');
    const since = this.#events.length;
    const socket = new WebSocket(`${address}/experiments/${this.#id}/progress?since=${since}`);
    socket.on('message', (data) => this.#take(String(data)));
    return new Promise((resolve) => {
      socket.on('error', () => {}); // the server is gone; closed says so, too
      socket.on('close', () => resolve());
    });
  }

  #take(text: string): void {
    const event = JSON.parse(text) as Event;
    if (event.type === 'snapshot' || event.type === 'heartbeat') return;
    if (event.seq !== this.#events.length + 1)
      this.#violations.push(`${this.#id}: event ${event.seq} came after ${this.#events.length}`);
    this.#events.push(text);
    this.#last = event;
  }
}

async function killAgainAndAgain(
  server: Server,
  followers: readonly Follower[],
  { kills, seed, maxPauseMs, log = () => {} }: ChaosOptions,
) {
  const random = createRandom(seed);
  const count = { server: 0, host: 0, whileTraining: 0 };
  const violations: string[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    await after(LEAST_PAUSE_MS + random() * (maxPauseMs - LEAST_PAUSE_MS));
    const { training } = await server.get<{ training: { processIds: number[]; active: string[] } }>(
      '/healthz',
    );
    const [host] = training.processIds;
    const hitsServer = random() < 0.5 || host === undefined;
    if (training.active.length > 0 && !followers.every(({ hasEnded }) => hasEnded)) count.whileTraining += 1;
    if (hitsServer) {
      count.server += 1;
      await server.end('SIGKILL');
      const left = await survivors(training.processIds);
      if (left.length > 0) violations.push(`kill ${kill}: the hosts ${left} outlived their server`);
      await server.start();
    } else {
      count.host += 1;
      process.kill(host, 'SIGKILL');
    }
    log(`kill ${kill}: ${hitsServer ? 'server' : 'host'}, ${training.active.length} trained`);
  }
  return { ...count, violations };
}

/** Processes that are still there after a while. */
async function survivors(ids: readonly number[]): Promise<number[]> {
  for (let wait = 0; wait < 100; wait++) {
    if (!ids.some(isRunning)) return [];
    await after(50);
  }
  return ids.filter(isRunning);
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}

async function readEvents(server: Server, id: string): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const page = await server.get<{ items: Event[]; nextSince: number; hasMore: boolean }>(
      `/experiments/${id}/events?since=${events.length}&limit=10000`,
    );
    events.push(...page.items);
    if (!page.hasMore) return events;
  }
}

/** Uniform in [0, 1), the same numbers for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
