/** Disks that are full, cannot be written, or hold what is not what it was: a clear word, and nothing lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import type { Experiment } from '../../src/contracts/experiment.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const TINY = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 2000 },
  model: { embeddingSize: 64, hiddenSizes: [64] },
  training: { epochs: 3, batchSize: 50, bpttLength: 20, sampleLength: 5, checkpointEvery: 40 },
};

/** Runs `body` with a folder that is a disk of its own; null = nothing of that kind can be mounted here. */
async function onSmallDisk(
  context: TestContext,
  bytes: number,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder(context);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'gatelm-test', folder]);
  if (mounted.status !== 0) return context.skip('a disk of its own cannot be mounted here');
  try {
    await body(folder);
  } finally {
    spawnSync('umount', ['-l', folder]); // also where a process still holds a file of it
  }
}

async function post(server: GatelmServer, path: string): Promise<void> {
  const { status } = await fetch(`${server.address}${path}`, { method: 'POST' });
  assert.equal(status, 200, path);
}

const follow = (server: GatelmServer, id: string, since = 0) =>
  new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=${since}`);

/** The events of an experiment, whose numbers have no gap. */
async function eventsOf(server: GatelmServer, id: string) {
  const { items } = await server.get<{
    items: { seq: number; type: string; data: Record<string, unknown> }[];
  }>(`/experiments/${id}/events?limit=10000`);
  assert.deepEqual(
    items.map(({ seq }) => seq),
    items.map((_, index) => index + 1),
  );
  return items;
}

test('a full disk ends a training with a clear word and loses nothing; with room it goes on', async (context) =>
  onSmallDisk(context, 24 << 20, async (folder) => {
    const server = await startGatelm(context, folder, { GATELM_LOG_LEVEL: 'silent' });
    try {
      const { id } = await server.train(TINY);
      await follow(server, id).until('checkpoint');
      const filler = join(folder, 'filler');
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(Number(bavail) * Number(bsize) - (300 << 10)));
      const state = await untilState(server, id, ['failed', 'interrupted']);
      const { error } = await server.get<Experiment>(`/experiments/${id}`);
      const before = await eventsOf(server, id);
      const why = state === 'failed' ? JSON.stringify(error) : JSON.stringify(before.at(-1)!.data);
      assert.match(why, /no space left|out-of-disk/);
      assert.equal((await fetch(`${server.address}/healthz`)).status, 200);
      await server.get(`/experiments/${id}/metrics`);

      rmSync(filler);
      const last = before.length;
      await post(server, `/experiments/${id}/${state === 'failed' ? 'retry' : 'resume'}`);
      const progress = follow(server, id, last);
      assert.deepEqual(await progress.closed, { code: 1000, reason: 'succeeded' });
      const after = await eventsOf(server, id);
      assert.deepEqual(after.slice(0, last), before);
      const { resumedFrom } = after.find(({ seq, type }) => seq > last && type === 'started')!.data;
      assert.ok(resumedFrom, 'it goes on from its checkpoint');
    } finally {
      await server.stop();
    }
  }));

async function untilState(server: GatelmServer, id: string, states: readonly string[]): Promise<string> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const { state } = await server.get<Experiment>(`/experiments/${id}`);
    if (states.includes(state)) return state;
    assert.notEqual(state, 'succeeded', 'the disk was not full in time');
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error(`not one of ${states} after a minute`);
}

test('a disk that cannot be written refuses the start by name', async (context) =>
  onSmallDisk(context, 1 << 20, async (folder) => {
    spawnSync('mount', ['-o', 'remount,ro', folder]);
    const { status, stderr } = serveOnce(folder);
    assert.equal(status, 1);
    assert.match(stderr, /^gatelm: .*(read-?only|EROFS|unable to open)/im);
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack: it is no fault of the program');
  }));

test('a database of a newer version, or none, refuses the start and is left as it is', (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'gatelm.sqlite');
  const newer = new Sqlite(file);
  newer.pragma('user_version = 999');
  newer.close();
  const before = readFileSync(file);
  const refused = serveOnce(folder);
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    /database has schema version 999, this gatelm supports \d+; use a newer gatelm/,
  );
  assert.deepEqual(readFileSync(file), before);
  const garbage = Buffer.from('this is no database, it is a text '.repeat(200));
  writeFileSync(file, garbage);
  const broken = serveOnce(folder);
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /gatelm\.sqlite cannot be used: file is not a database/);
  assert.deepEqual(readFileSync(file), garbage);
});

test('a checkpoint that was altered or deleted fails its experiment by name, and nothing else', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder, { GATELM_LOG_LEVEL: 'silent' });
  const { id } = await server.train({ ...TINY, training: { ...TINY.training, epochs: 1000 } });
  await follow(server, id).until('epoch');
  await post(server, `/experiments/${id}/pause`);
  await untilState(server, id, ['paused']);
  const before = await eventsOf(server, id);
  const checkpoints = join(folder, 'experiments', id, 'checkpoints');
  const [file] = readdirSync(checkpoints).filter((name) => name.endsWith('.safetensors'));
  const path = join(checkpoints, file!);
  const whole = readFileSync(path);
  const altered = Buffer.from(whole);
  altered[altered.length >> 1]! ^= 1;
  for (const [verb, spoil, word] of [
    ['resume', () => writeFileSync(path, altered), /is not usable: it has SHA-256 \w+, expected/],
    ['retry', () => writeFileSync(path, whole.subarray(0, 1000)), /is not usable: it has SHA-256/],
    ['retry', () => rmSync(path), /is not usable: ENOENT/],
  ] as const) {
    spoil();
    await post(server, `/experiments/${id}/${verb}`);
    await untilState(server, id, ['failed']);
    const { error } = await server.get<Experiment>(`/experiments/${id}`);
    assert.equal(error?.code, 'checkpoint-corrupt');
    assert.match(error!.message, word);
    assert.ok(error!.message.startsWith(file!), 'it names the file');
  }
  assert.deepEqual((await eventsOf(server, id)).slice(0, before.length), before);
  assert.equal((await fetch(`${server.address}/generate?experiment=${id}&maxTokens=3`)).status, 200);
  writeFileSync(path, whole);
  await post(server, `/experiments/${id}/retry`);
  await untilState(server, id, ['running']);
  const started = (await eventsOf(server, id)).findLast(({ type }) => type === 'started')!;
  assert.ok(started.data.resumedFrom, 'put back, it is gone on from');

  const weights = join(folder, 'experiments', id, 'model', 'weights.safetensors');
  await post(server, `/experiments/${id}/cancel`);
  await untilState(server, id, ['cancelled']);
  await server.stop();
  const bytes = readFileSync(weights);
  bytes[bytes.length - 5]! ^= 1;
  writeFileSync(weights, bytes);
  const again = await startGatelm(context, folder, { GATELM_LOG_LEVEL: 'silent' });
  const answer = await fetch(`${again.address}/generate?experiment=${id}&maxTokens=3`);
  const problem = (await answer.json()) as { code: string; detail: string };
  assert.equal(problem.code, 'checkpoint-corrupt');
  assert.match(problem.detail, /^weights\.safetensors is not usable: its weights have SHA-256/);
  await again.stop();
});

/** A start that is expected to fail. */
function serveOnce(dataDir: string) {
  return spawnSync(process.execPath, [MAIN, 'serve', '--data-dir', dataDir, '--port', '0'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}
