/** Trainings on other machines: a real Redis, a real server, real trainers in processes of their own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { streamOf } from '../../src/compute/queue/queue-names.js';
import type { Experiment } from '../../src/contracts/experiment.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { NO_REDIS, RedisServer } from '../support/redis-server.js';
import { startRemoteHost } from '../support/remote-host.js';
import { temporaryFolder } from '../support/service.js';
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

async function digestAlone(test: TestContext): Promise<string> {
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
