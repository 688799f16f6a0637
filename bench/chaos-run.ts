/** Trainings that are killed again and again, and what must hold all the same. */
import { setTimeout as after } from 'node:timers/promises';
import { Follower, readEvents } from './follower.js';
import { RestartableServer } from './restartable-server.js';
import { scopedFolder, withScope } from './scope.js';
import { createRandom } from './seeded-random.js';

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
    const ids = await server.createAll(configs);
    const followers = ids.map((id) => new Follower(server, id));
    return (await Promise.all(followers.map(({ digest }) => digest))).map(String);
  });
  log(`left alone: ${alone.length} experiments succeeded`);
  return withServer(async (server) => {
    const ids = await server.createAll(configs);
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

function withServer<Result>(body: (server: RestartableServer) => Promise<Result>): Promise<Result> {
  return withScope(async (scope) => {
    const server = new RestartableServer({
      GATELM_DATA_DIR: scopedFolder(scope),
      GATELM_THREADS: '1',
      GATELM_TRAINING_SLOTS: String(SLOTS),
      GATELM_MAX_RESTARTS: '1000',
    });
    scope.after(() => server.end('SIGTERM'));
    await server.start();
    return body(server);
  });
}

async function killAgainAndAgain(
  server: RestartableServer,
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
