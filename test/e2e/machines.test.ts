/** Trainings on other machines: a real Redis, a real server, real trainers in processes of their own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { streamOf } from '../../src/compute/queue/queue-names.js';
import type { Experiment } from '../../src/contracts/experiment.js';
import { readText } from '../../src/files/artifact-store.js';
import { openExchange } from '../../src/files/open-exchange.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { NO_REDIS, RedisServer } from '../support/redis-server.js';
import { startRemoteHost } from '../support/remote-host.js';
import { temporaryFolder } from '../support/service.js';
import { NO_SWIFT, SwiftServer } from '../support/swift-server.js';
import { startTrainer } from '../support/trainer-process.js';

/** Longer than a lease may go without being renewed, in the worst case. */
const CUT_MS = 10_000;
/** Of a server that other hosts reach under its own address. */
const KEY = 'a-key-of-sixteen-letters-and-more';
const ONE_THREAD = { GATELM_THREADS: '1' };
const CONFIG = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16], dropout: { kind: 'standard', input: 0.2, output: 0.2 } },
  optimizer: { type: 'adam' },
  training: { epochs: 8, batchSize: 50, bpttLength: 20, sampleLength: 5, checkpointEvery: 20, seed: 1 },
};

const follow = (server: GatelmServer, id: string) =>
  new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=0`, {
    headers: { authorization: `Bearer ${KEY}` },
  });

let aloneDigest: Promise<string> | undefined;

/** Of the same training left alone on this machine. */
function digestAlone(test: TestContext): Promise<string> {
  aloneDigest ??= trainAlone(test);
  return aloneDigest;
}

async function trainAlone(test: TestContext): Promise<string> {
  const server = await startGatelm(test, temporaryFolder(test), ONE_THREAD);
  const { id } = await server.train(CONFIG);
  await follow(server, id).closed;
  const { digest } = await server.get<Experiment>(`/experiments/${id}`);
  await server.stop();
  return digest!;
}

async function eventsOf(server: GatelmServer, id: string) {
  const { items } = await server.get<{
    items: { seq: number; time: string; type: string; data: Record<string, unknown> }[];
  }>(`/experiments/${id}/events?limit=10000`);
  assert.deepEqual(
    items.map(({ seq }) => seq),
    items.map((_, index) => index + 1),
    'no event is lost, none comes twice',
  );
  return items;
}

test('a run whose trainer is killed goes on at another one, through a restart of the server, to the same bytes', {
  skip: NO_REDIS,
}, async (context) => {
  const alone = await digestAlone(context);
  const folder = temporaryFolder(context);
  const redis = await RedisServer.start(context);
  const settings = { ...ONE_THREAD, GATELM_QUEUE: redis.address };
  let server = await startGatelm(context, join(folder, 'data'), settings);
  const addresses = { queue: redis.address, server: server.address };
  const first = await startTrainer(context, { ...addresses, folder: join(folder, 'first') });
  const { id } = await server.train(CONFIG);
  const client = follow(server, id);
  await client.until('checkpoint');
  first.process.kill('SIGKILL');
  const second = await startTrainer(context, { ...addresses, folder: join(folder, 'second') });
  await second.said(`takes ${id}, attempt 2`);
  await client.until('interrupted');
  const connection = new Redis(redis.address);
  assert.ok((await connection.ttl(streamOf({ experimentId: id, attempt: 1 }))) > 0, 'its stream expires');
  connection.disconnect();
  assert.equal((await client.closed).reason, 'succeeded');
  const events = await eventsOf(server, id);
  const epochs = events.filter(({ type }) => type === 'epoch').map(({ data }) => data.epoch);
  assert.deepEqual([...new Set(epochs)], [1, 2, 3, 4, 5, 6, 7, 8]);
  const resumed = events.filter(({ type }) => type === 'started').at(-1)!.data.resumedFrom;
  assert.ok(resumed, 'it went on from the checkpoint that the first one had sent');
  const experiment = await server.get<Experiment>(`/experiments/${id}`);
  assert.equal(experiment.digest, alone);
  assert.equal(experiment.attempt, 2);
  server = await restart(context, server, join(folder, 'data'), settings);
  const answer = await server.get<{ text: string }>(`/generate?experiment=${id}&maxTokens=5&seed=1`);
  assert.ok(answer.text.length > 0, 'its weights have come to the server');
});

test('a trainer that was thought dead and comes back says and stores nothing', {
  skip: NO_REDIS,
}, async (context) => {
  const alone = await digestAlone(context);
  const folder = temporaryFolder(context);
  const redis = await RedisServer.start(context);
  const server = await startGatelm(context, join(folder, 'data'), {
    ...ONE_THREAD,
    GATELM_QUEUE: redis.address,
  });
  const addresses = { queue: redis.address, server: server.address };
  const zombie = await startTrainer(context, { ...addresses, folder: join(folder, 'zombie') });
  const { id } = await server.train(CONFIG);
  const client = follow(server, id);
  await client.until('checkpoint');
  const stoppedAt = Date.now();
  zombie.process.kill('SIGSTOP'); // its training goes on in its host, but nobody hears of it
  const heir = await startTrainer(context, { ...addresses, folder: join(folder, 'heir') });
  await client.until('interrupted');
  await heir.said(`takes ${id}, attempt 2`);
  zombie.process.kill('SIGCONT');
  await zombie.said(`${id}:`); // lets go of it, or ends it
  assert.equal((await client.closed).reason, 'succeeded');
  const events = await eventsOf(server, id);
  const interrupted = events.findIndex(({ type }) => type === 'interrupted');
  const secondsTo = (type: string) =>
    (Date.parse(events.slice(interrupted).find((event) => event.type === type)!.time) - stoppedAt) / 1000;
  context.diagnostic(
    `${secondsTo('interrupted')} s until it counted as dead, ${secondsTo('step')} s until another went on`,
  );
  const begun = events.slice(interrupted).filter(({ type }) => type === 'started');
  assert.equal(begun.length, 1, 'one attempt speaks after the interruption');
  const steps = events.slice(interrupted).flatMap(({ type, data }) => (type === 'epoch' ? [data.epoch] : []));
  assert.equal(new Set(steps).size, steps.length, 'no epoch is told twice');
  const { digest, attempt } = await server.get<Experiment>(`/experiments/${id}`);
  assert.deepEqual([digest, attempt], [alone, 2]);
});

test('a trainer that is cut off, and a Redis that is killed, cost time and nothing else', {
  skip: NO_REDIS,
}, async (context) => {
  const alone = await digestAlone(context);
  const folder = temporaryFolder(context);
  const redis = await RedisServer.start(context);
  const server = await startGatelm(context, join(folder, 'data'), {
    ...ONE_THREAD,
    GATELM_QUEUE: redis.address,
    GATELM_API_KEYS: KEY,
  });
  const host = await startRemoteHost(context);
  context.diagnostic(`its trainer runs in a ${host.kind}`);
  await startTrainer(context, {
    queue: `redis://${await host.reach(Number(new URL(redis.address).port))}`,
    server: `http://${await host.reach(Number(new URL(server.address).port))}`,
    folder: join(folder, 'far'),
    enter: host.enter,
    env: { GATELM_TRAINER_KEY: KEY },
  });
  const { id } = await server.train(CONFIG);
  const client = follow(server, id);
  await client.until('checkpoint');
  host.cut();
  await after(CUT_MS);
  host.mend();
  await redis.end('SIGKILL');
  await redis.start();
  assert.equal((await client.closed).reason, 'succeeded');
  await eventsOf(server, id);
  assert.equal((await server.get<Experiment>(`/experiments/${id}`)).digest, alone);
});

/** Exchanges besides HTTP: what to set for the server and its trainers. */
const EXCHANGES: readonly {
  readonly name: string;
  readonly skip: string | false;
  open(context: TestContext): Promise<Record<string, string>>;
}[] = [
  {
    name: 'a shared folder',
    skip: NO_REDIS,
    open: async (context) => ({ GATELM_EXCHANGE: temporaryFolder(context) }),
  },
  {
    name: 'an S3-compatible store',
    skip: NO_REDIS || NO_SWIFT,
    open: async (context) => {
      const swift = await SwiftServer.start(context);
      return { GATELM_EXCHANGE: swift.address('machines'), ...swift.credentials };
    },
  },
];

for (const { name, skip, open } of EXCHANGES)
  test(`with ${name} as exchange, a trainer that is killed while the server is down loses nothing that it stored`, {
    skip,
  }, async (context) => {
    const alone = await digestAlone(context);
    const folder = temporaryFolder(context);
    const redis = await RedisServer.start(context);
    const settings = await open(context);
    const store = await openExchange({
      address: settings.GATELM_EXCHANGE!,
      temporaryFolder: join(folder, 'test'),
      env: settings,
    });
    const environment = { ...ONE_THREAD, ...settings, GATELM_QUEUE: redis.address };
    let server = await startGatelm(context, join(folder, 'data'), environment);
    const options = { queue: redis.address, env: settings };
    const first = await startTrainer(context, { ...options, folder: join(folder, 'first') });
    const { id } = await server.train(CONFIG);
    await follow(server, id).until('checkpoint');
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
    const storedStep = async () => {
      const latest = `leases/${id}.1/experiments/${id}/checkpoints/latest.json`;
      return JSON.parse((await readText(store, latest))!).progress.step as number;
    };
    const before = await storedStep();
    while ((await storedStep()) === before) await after(20);
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    const stored = await storedStep();
    server = await startGatelm(context, join(folder, 'data'), environment);
    const second = await startTrainer(context, { ...options, folder: join(folder, 'second') });
    await second.said(`takes ${id}, attempt 2`);
    assert.equal((await follow(server, id).closed).reason, 'succeeded');
    const events = await eventsOf(server, id);
    const { resumedFrom } = events.filter(({ type }) => type === 'started').at(-1)!.data;
    assert.equal((resumedFrom as { step: number }).step, stored);
    const { digest, attempt } = await server.get<Experiment>(`/experiments/${id}`);
    assert.deepEqual([digest, attempt], [alone, 2]);
    const answer = await server.get<{ text: string }>(`/generate?experiment=${id}&maxTokens=5&seed=1`);
    assert.ok(answer.text.length > 0, 'its weights have come to the server');
    while ((await store.list('leases')).length > 0) await after(20);
    for (const line of [...server.lines, ...first.lines, ...second.lines])
      assert.ok(!line.includes(settings.AWS_SECRET_ACCESS_KEY ?? 'no secret'));
  });

test('a trainer without the exchange of the server says so', { skip: NO_REDIS }, async (context) => {
  const folder = temporaryFolder(context);
  const redis = await RedisServer.start(context);
  const server = await startGatelm(context, join(folder, 'data'), {
    ...ONE_THREAD,
    GATELM_QUEUE: redis.address,
    GATELM_EXCHANGE: temporaryFolder(context),
    GATELM_MAX_RESTARTS: '0',
  });
  const lacking = await startTrainer(context, {
    queue: redis.address,
    server: server.address,
    folder: join(folder, 'lacking'),
  });
  const { id } = await server.train(CONFIG);
  await follow(server, id).until('interrupted');
  lacking.process.kill('SIGKILL');
  await startTrainer(context, {
    queue: redis.address,
    env: { GATELM_EXCHANGE: temporaryFolder(context) },
    folder: join(folder, 'elsewhere'),
  });
  const other = await server.train(CONFIG);
  await follow(server, other.id).until('interrupted');
  const reasons = [await eventsOf(server, id), await eventsOf(server, other.id)].map(
    (events) => events.find(({ type }) => type === 'interrupted')!.data.reason,
  );
  assert.match(String(reasons[0]), /GATELM_EXCHANGE/);
  assert.match(String(reasons[1]), /is it that of the server/);
});

test('an experiment waits for a machine that has what it requires, and lets others pass', {
  skip: NO_REDIS,
}, async (context) => {
  const folder = temporaryFolder(context);
  const redis = await RedisServer.start(context);
  const server = await startGatelm(context, join(folder, 'data'), {
    ...ONE_THREAD,
    GATELM_QUEUE: redis.address,
  });
  const addresses = { queue: redis.address, server: server.address };
  const plain = await startTrainer(context, { ...addresses, folder: join(folder, 'plain') });
  const short = { ...CONFIG, training: { ...CONFIG.training, epochs: 1 } };
  const demanding = await server.train({ ...short, requires: { labels: ['rack-3'] } });
  const modest = await server.train(short);
  assert.equal((await follow(server, modest.id).closed).reason, 'succeeded');
  await plain.said(`takes ${modest.id}`);
  assert.equal((await server.get<Experiment>(`/experiments/${demanding.id}`)).state, 'queued');
  const special = await startTrainer(context, {
    ...addresses,
    folder: join(folder, 'special'),
    labels: ['rack-3'],
  });
  assert.equal((await follow(server, demanding.id).closed).reason, 'succeeded');
  await special.said(`takes ${demanding.id}, attempt 1`);
  const figures = await server.get<string>('/metrics');
  assert.match(figures, /^gatelm_trainers 2$/m);
  assert.match(figures, /^gatelm_artifact_bytes_total\{direction="sent"\} [1-9]/m);
});

async function restart(
  test: TestContext,
  server: GatelmServer,
  dataDir: string,
  settings: Record<string, string>,
): Promise<GatelmServer> {
  await server.stop();
  return startGatelm(test, dataDir, settings);
}
