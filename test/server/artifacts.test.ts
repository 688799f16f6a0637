/** The files of trainers on other machines, over HTTP. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { createApiKey } from '../../src/experiments/api-keys.js';
import { sha256 } from '../../src/files/durable-file.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { HttpArtifactStore } from '../../src/files/http-artifact-store.js';
import { cleanUp } from '../support/clean-up.js';
import { startedEvent } from '../support/fake-executor.js';
import { startService } from '../support/service.js';

async function startRun(test: TestContext) {
  const service = await startService(test, { environment: { maxRestarts: 3 } });
  const { body } = await request(service.address).post('/experiments').send({}).expect(201);
  const run = await service.training.run(0);
  run.emit(startedEvent());
  const storeOf = (attempt: number) =>
    new HttpArtifactStore({
      address: service.address,
      key: null,
      lease: { experimentId: body.id, attempt },
      retryMs: 1,
      giveUpAfterMs: 1000,
    });
  return { service, run, id: body.id as string, storeOf };
}

test('what a trainer puts comes back whole, from an offset, and by its checksum', async (t) => {
  const { id, storeOf } = await startRun(t);
  const store = storeOf(1);
  const key = `experiments/${id}/model/weights.safetensors`;
  const bytes = Buffer.from('weights of a model');
  const info = await store.put(key, bytes);
  assert.deepEqual(info, { bytes: bytes.length, sha256: sha256(bytes) });
  assert.deepEqual(await store.stat(key), info);
  assert.deepEqual(await buffer((await store.get(key))!), bytes);
  assert.equal((await buffer((await store.get(key, 11))!)).toString(), 'a model');
  assert.deepEqual(await store.list(`experiments/${id}/model`), [key]);
  assert.equal(await store.get(`experiments/${id}/model/none`), null);
  const wrong = { bytes: bytes.length, sha256: '0'.repeat(64) };
  await assert.rejects(store.put(key, bytes, wrong), { code: 'artifact-corrupt' });
  assert.deepEqual(await store.stat(key), info, 'what was there stays');
});

test('a trainer that comes back after its lease was given to another one writes nothing', async (t) => {
  const { service, run, id, storeOf } = await startRun(t);
  const zombie = storeOf(1);
  const key = `experiments/${id}/checkpoints/latest.json`;
  await zombie.put(key, Buffer.from('{"file":"a"}'));
  run.finish({ type: 'interrupted', reason: 'it seems to be dead' });
  (await service.training.run(1)).emit(startedEvent(2));
  await assert.rejects(zombie.put(key, Buffer.from('{"file":"b"}')), { code: 'lease-lost' });
  assert.equal((await buffer((await storeOf(2).get(key))!)).toString(), '{"file":"a"}');
  await storeOf(2).put(key, Buffer.from('{"file":"c"}'));
  await assert.rejects(storeOf(3).put(key, Buffer.from('{"file":"d"}')), { code: 'lease-lost' });
});

test('a trainer waits where the server is overloaded or its rate is exceeded, and then goes on', async (t) => {
  const statuses = [503, 429, 204];
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.writeHead(statuses.shift()!).end());
  }).listen(0, '127.0.0.1');
  cleanUp(t, () => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const store = new HttpArtifactStore({ address: `http://127.0.0.1:${port}`, key: null, retryMs: 1 });
  await store.put('experiments/e-1/checkpoints/latest.json', Buffer.from('{}'));
  assert.deepEqual(statuses, []);
});

test('nobody reads or writes beside experiments and corpora, or in the folder of another experiment', async (t) => {
  const { service, storeOf } = await startRun(t);
  const store = storeOf(1);
  assert.equal(await store.stat('gatelm.sqlite'), null);
  await assert.rejects(store.put('experiments/e-other/model/config.json', Buffer.from('{}')), {
    code: 'lease-lost',
  });
  await assert.rejects(store.put('gatelm.sqlite', Buffer.from('x')), { code: 'artifact-not-found' });
  await request(service.address).get('/artifacts/experiments/..%2f..%2fetc%2fpasswd').expect(400);
  assert.ok(!existsSync(join(service.dataDir, 'experiments', 'e-other')));
  const files = new FolderArtifactStore(service.dataDir);
  assert.notEqual((await files.stat('gatelm.sqlite'))!.bytes, 1);
});

test('a key of the scope trainer moves files and may do nothing else; one of another scope does not move them', async (t) => {
  const admin = 'k'.repeat(32);
  const { address, services } = await startService(t, { environment: { apiKeys: [admin] } });
  const keyOf = (scope: 'trainer' | 'train') =>
    createApiKey(services.store.apiKeys, { name: scope, scope, expiresAt: null });
  const [trainer, train] = [keyOf('trainer'), keyOf('train')];
  const get = (path: string, key: string) => request(address).get(path).set('authorization', `Bearer ${key}`);
  await get('/artifacts?prefix=corpora', trainer).expect(200);
  await get('/artifacts?prefix=experiments', train).expect(403);
  await get('/experiments', trainer).expect(403);
  await get('/experiments', train).expect(200);
});
