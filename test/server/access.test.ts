import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import request from 'supertest';
import WebSocket from 'ws';
import { parseEnvironment } from '../../src/contracts/environment.js';
import { createServices } from '../../src/experiments/services.js';
import { buildApp } from '../../src/server/app.js';
import { cleanUp } from '../support/clean-up.js';
import { FakeInferenceExecutor, FakeTrainingExecutor } from '../support/fake-executor.js';
import { startService, temporaryFolder } from '../support/service.js';

const KEY = 'a-key-for-a-test';

test('with API keys every route but the probes and the interface’s description asks for one', async (t) => {
  const { address, app } = await startService(t, { environment: { apiKeys: ['another-key', KEY] } });
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs'])
    await request(address).get(path).expect(200);
  for (const path of [
    '/experiments',
    '/corpora',
    '/presets',
    '/metrics',
    '/generate',
    '/nope',
    '/docs/../metrics',
  ])
    assert.equal((await app.inject(path)).statusCode, 401, path);
  const refused = await request(address)
    .get('/experiments')
    .set('authorization', `Bearer ${KEY}x`)
    .expect(401);
  assert.equal(refused.body.code, 'unauthorized');
  assert.equal(refused.headers['www-authenticate'], 'Bearer');
  await request(address).get('/experiments').set('authorization', `Bearer ${KEY}`).expect(200);
});

test('with API keys a socket needs one too', async (t) => {
  const { address, socketAddress } = await startService(t, { environment: { apiKeys: [KEY] } });
  const authorization = `Bearer ${KEY}`;
  const { body } = await request(address)
    .post('/experiments')
    .set('authorization', authorization)
    .send({})
    .expect(201);
  const path = `${socketAddress}/experiments/${body.id}/progress`;
  const refused = new WebSocket(path);
  const [error] = await once(refused, 'error');
  assert.match(String(error), /401/);
  const accepted = new WebSocket(path, { headers: { authorization } });
  await once(accepted, 'message');
  accepted.terminate();
});

test('without API keys a server for others than this machine is not built', async (t) => {
  const environment = parseEnvironment({ GATELM_HOST: '0.0.0.0', GATELM_DATA_DIR: temporaryFolder(t) });
  const services = createServices({
    environment,
    trainingExecutor: new FakeTrainingExecutor(),
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  cleanUp(t, () => services.close());
  await assert.rejects(buildApp(services), { code: 'unsafe-bind' });
});

test('pages of other sites can neither post nor reach in under a name of theirs', async (t) => {
  const origin = 'https://evil.example';
  const friend = 'https://friend.example';
  const { address } = await startService(t, { environment: { allowedOrigins: [friend] } });
  const cross = await request(address).post('/experiments').set('origin', origin).send({}).expect(403);
  assert.equal(cross.body.code, 'cross-origin');
  await request(address).post('/experiments').set('origin', address).send({}).expect(201);
  const allowed = await request(address).post('/experiments').set('origin', friend).send({}).expect(201);
  assert.equal(allowed.headers['access-control-allow-origin'], friend);
  const preflight = await request(address).options('/experiments').set('origin', friend).expect(204);
  assert.match(preflight.headers['access-control-allow-methods']!, /POST/);
  const rebound = await request(address).get('/experiments').set('host', 'evil.example:8080').expect(403);
  assert.equal(rebound.body.code, 'foreign-host');
  for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080'])
    await request(address).get('/experiments').set('host', host).expect(200);
});

test('one address may make so many requests a minute', async (t) => {
  const { address } = await startService(t, { environment: { rateLimit: 3 } });
  for (let count = 0; count < 3; count++) await request(address).get('/healthz').expect(200);
  const { body, headers } = await request(address).get('/healthz').expect(429);
  assert.equal(body.code, 'rate-limited');
  assert.ok(Number(headers['retry-after']) > 0);
});

test('answers carry the headers that protect a browser, and the interface’s page still works', async (t) => {
  const { address } = await startService(t);
  const { headers } = await request(address).get('/healthz').expect(200);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(headers['content-security-policy']!, /default-src 'self'/);
  const page = await request(address).get('/docs').expect(200);
  const script = /src="([^"]+swagger-ui-bundle\.js)"/.exec(page.text)?.[1];
  await request(address).get(script!).expect(200);
  assert.doesNotMatch(page.headers['content-security-policy']!, /upgrade-insecure-requests/);
});
