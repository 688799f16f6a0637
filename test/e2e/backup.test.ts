/** A backup while a server trains, and what becomes of it elsewhere. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Experiment } from '../../src/contracts/experiment.js';
import { startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const TINY = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16], dropout: { input: 0.2 } },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 0, checkpointEvery: 20 },
};

function gatelm(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a backup of a server that trains is whole, and goes on to the same weights', async (context) => {
  const folder = temporaryFolder(context);
  const [data, backup, elsewhere] = ['data', 'backup', 'elsewhere'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const server = await startGatelm(context, data);
  const form = new FormData();
  form.set('name', 'mine');
  form.set('file', new Blob(['a text of my own\n'.repeat(500)]), 'mine.txt');
  await fetch(`${server.address}/corpora`, { method: 'POST', body: form });
  const done = await server.train(TINY);
  const long = await server.train({ ...TINY, training: { ...TINY.training, epochs: 6 } });
  const progress = new ProgressClient(`${server.socketAddress}/experiments/${long.id}/progress`);
  await progress.until('checkpoint');
  const made = gatelm('backup', backup, '--data-dir', data);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /backed up .* to .*backup: \d+ files, [\d.]+ MB/);
  assert.equal(gatelm('backup', backup, '--data-dir', data).status, 1, 'never over another one');
  await progress.closed;
  const { digest } = await server.get<Experiment>(`/experiments/${long.id}`);
  assert.equal(await server.stop(), 0);

  const restored = gatelm('restore', backup, '--data-dir', elsewhere);
  assert.equal(restored.status, 0, restored.stderr);
  // What a restored server does by itself with a training that was under way is for another test.
  const second = await startGatelm(context, elsewhere, { GATELM_MAX_RESTARTS: '0' });
  const read = (id: string) => second.get<Experiment>(`/experiments/${id}`);
  assert.equal((await read(done.id)).state, 'succeeded');
  assert.equal((await read(long.id)).state, 'interrupted');
  assert.equal((await fetch(`${second.address}/generate?experiment=${done.id}&maxTokens=3`)).status, 200);
  assert.equal((await fetch(`${second.address}/corpora/mine`)).status, 200);
  await fetch(`${second.address}/experiments/${long.id}/resume`, { method: 'POST' });
  const again = new ProgressClient(`${second.socketAddress}/experiments/${long.id}/progress`);
  assert.deepEqual(await again.closed, { code: 1000, reason: 'succeeded' });
  assert.deepEqual(
    again.seqs,
    again.seqs.map((_, index) => index + 1),
  );
  const resumed = again.messages.findLast(({ type }) => type === 'started');
  assert.ok(resumed?.type === 'started' && resumed.data.resumedFrom, 'it goes on from the checkpoint');
  assert.equal((await read(long.id)).digest, digest);
  await second.stop();

  const weights = join(backup, 'experiments', done.id, 'model', 'weights.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(weights, bytes);
  const refused = gatelm('restore', backup, '--data-dir', join(folder, 'third'));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /weights\.safetensors is not usable: it has \d+ bytes and SHA-256/);
  assert.ok(!existsSync(join(folder, 'third')));
  assert.match(gatelm('restore', folder).stderr, /is not a complete backup/);
  assert.match(gatelm('backup', join(folder, 'x'), '--data-dir', folder).stderr, /holds no gatelm\.sqlite/);
});
