/** Trainings on other machines: a real Redis, a real server, real trainers in processes of their own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Experiment } from '../../src/contracts/experiment.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { NO_REDIS, RedisServer } from '../support/redis-server.js';
import { temporaryFolder } from '../support/service.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ONE_THREAD = { GATELM_THREADS: '1' };
const CONFIG = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16], dropout: { kind: 'standard', input: 0.2, output: 0.2 } },
  optimizer: { type: 'adam' },
  training: { epochs: 8, batchSize: 50, bpttLength: 20, sampleLength: 5, checkpointEvery: 20, seed: 1 },
};

interface Trainer {
  readonly process: ChildProcess;
  /** Settles with the first line that contains the text, past ones included. */
  said(text: string): Promise<string>;
}

async function startTrainer(
  test: TestContext,
  redis: RedisServer,
  server: GatelmServer,
  folder: string,
): Promise<Trainer> {
  const child = spawn(
    process.execPath,
    [MAIN, 'trainer', '--queue', redis.address, '--server', server.address, '--data-dir', folder],
    { env: { ...process.env, ...ONE_THREAD }, stdio: ['ignore', 'pipe', 'inherit'] },
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
  const trainer = { process: child, said };
  await said('in parallel');
  return trainer;
}

const follow = (server: GatelmServer, id: string) =>
  new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=0`);

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
    items: { seq: number; type: string; data: Record<string, unknown> }[];
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
  const first = await startTrainer(context, redis, server, join(folder, 'first'));
  const { id } = await server.train(CONFIG);
  const client = follow(server, id);
  await client.until('checkpoint');
  first.process.kill('SIGKILL');
  const second = await startTrainer(context, redis, server, join(folder, 'second'));
  await second.said(`takes ${id}, attempt 2`);
  await client.until('interrupted');
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

async function restart(
  test: TestContext,
  server: GatelmServer,
  dataDir: string,
  settings: Record<string, string>,
): Promise<GatelmServer> {
  await server.stop();
  return startGatelm(test, dataDir, settings);
}
