/** The socket of inferencers, and what their keys may do. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { BalancedInferenceExecutor } from '../../src/compute/inferencers/balanced-inference-executor.js';
import { openSocket } from '../../src/compute/inferencers/open-socket.js';
import { createApiKey } from '../../src/experiments/api-keys.js';
import { packageVersion } from '../../src/package-version.js';
import { FakeInferenceExecutor } from '../support/fake-executor.js';
import { joinAsInferencer } from '../support/fake-inferencer.js';
import { startService } from '../support/service.js';

const ADMIN = 'k'.repeat(32);

async function start(context: TestContext) {
  const local = new FakeInferenceExecutor();
  const executor = new BalancedInferenceExecutor({
    local,
    localSlots: 1,
    openTasks: 100,
    silenceMs: 60_000,
  });
  const service = await startService(context, {
    environment: { apiKeys: [ADMIN] },
    executor: () => executor,
  });
  const keyOf = (scope: 'trainer' | 'train' | 'inferencer') =>
    createApiKey(service.services.store.apiKeys, { name: scope, scope, expiresAt: null });
  const address = (version = packageVersion()) => `${service.address}/inferencers?version=${version}`;
  return { service, executor, local, keyOf, address };
}

test('an inferencer needs a key of its scope, and the version of the server', async (context) => {
  const { service, keyOf, address } = await start(context);
  const key = keyOf('inferencer');
  await assert.rejects(openSocket(address(), null), { code: 'unauthorized' });
  await assert.rejects(openSocket(address(), keyOf('train')), { code: 'forbidden' });
  await assert.rejects(openSocket(address(), keyOf('trainer')), { code: 'forbidden' });
  await assert.rejects(openSocket(address('0.0.1'), key), {
    code: 'version-mismatch',
    message: /The server has version .*, this inferencer 0\.0\.1/,
  });
  const get = (path: string) => request(service.address).get(path).set('authorization', `Bearer ${key}`);
  assert.equal((await get(`/inferencers?version=${packageVersion()}`).expect(400)).body.code, 'bad-request');
});

test('its key reads models and nothing else', async (context) => {
  const { service, keyOf } = await start(context);
  const key = keyOf('inferencer');
  const call = (method: 'get' | 'head' | 'put', path: string) =>
    request(service.address)[method](path).set('authorization', `Bearer ${key}`);
  await call('get', '/artifacts/experiments/e-1/model/weights.safetensors').expect(404);
  await call('head', '/artifacts/experiments/e-1/model/tokenizer.json').expect(404);
  for (const path of [
    '/artifacts/experiments/e-1/checkpoints/latest.json',
    '/artifacts/experiments/e-1/model/other.json',
    '/artifacts/corpora/c-1/train.txt',
    '/artifacts?prefix=experiments',
    '/experiments',
    '/metrics',
  ])
    await call('get', path).expect(403);
  await call('head', '/artifacts/corpora/c-1/train.txt').expect(403);
  await call('put', '/artifacts/experiments/e-1/model/config.json').expect(403);
});

test('its answers may be longer than what other sockets accept, and its figures are shown', async (context) => {
  const { service, executor, local, keyOf, address } = await start(context);
  const signal = AbortSignal.timeout(60_000);
  const model = { experimentId: 'e', folder: 'experiments/e/model', digest: 'd' };
  const task = (prompt: string) => ({ type: 'generate', model, request: { prompt } }) as never;
  local.isEndless = true;
  void executor.run(task('a'), { signal });
  await joinAsInferencer(context, address(), { id: 'rack-3', slots: 2, key: keyOf('inferencer') });
  const prompt = 'long '.repeat(20_000);
  assert.equal(((await executor.run(task(prompt))) as { prompt: string }).prompt, prompt);
  const get = (path: string) => request(service.address).get(path).set('authorization', `Bearer ${ADMIN}`);
  assert.deepEqual((await get('/healthz')).body.inferencers, { connected: 1, slots: 2, active: 0 });
  const { text } = await get('/metrics');
  assert.match(text, /^gatelm_inferencers 1$/m);
  assert.match(text, /^gatelm_inferencer_slots\{inferencer="rack-3",host="test"\} 2$/m);
  assert.match(text, /^gatelm_inferencer_active\{inferencer="rack-3",host="test"\} 0$/m);
});
