import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import request from 'supertest';
import WebSocket from 'ws';
import { ApiKey, Ticket } from '../../src/contracts/access.js';
import { parseEnvironment } from '../../src/contracts/environment.js';
import { createApiKey, revokeApiKey } from '../../src/experiments/api-keys.js';
import { createServices } from '../../src/experiments/services.js';
import { buildApp } from '../../src/server/app.js';
import { createLogger } from '../../src/server/logger.js';
import { scopeOf } from '../../src/server/plugins/access.js';
import { cleanUp } from '../support/clean-up.js';
import { FakeInferenceExecutor, FakeTrainingExecutor } from '../support/fake-executor.js';
import { startService, temporaryFolder } from '../support/service.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** A service with one key of each scope. */
async function start(t: TestContext, environment = {}) {
  const service = await startService(t, { environment });
  const keys = service.services.store.apiKeys;
  const make = (scope: 'read' | 'train' | 'admin', expiresAt: Date | null = null) =>
    createApiKey(keys, { name: `${scope}-${expiresAt ? 'old' : 'key'}`, scope, expiresAt });
  return { ...service, keys, make, read: make('read'), train: make('train'), admin: make('admin') };
}

test('a key allows what its scope says, and is refused beyond by name', async (t) => {
  const { address, services, read, train, admin } = await start(t);
  await request(address).get('/experiments').expect(401);
  await request(address).get('/experiments').set(bearer('gatelm_nothing')).expect(401);
  for (const key of [read, train, admin])
    await request(address).get('/experiments').set(bearer(key)).expect(200);
  const refused = await request(address).post('/experiments').set(bearer(read)).send({}).expect(403);
  assert.equal(refused.body.code, 'forbidden');
  assert.match(refused.body.detail, /scope "train"; "read-key" has "read"/);
  const { body } = await request(address).post('/experiments').set(bearer(train)).send({}).expect(201);
  await request(address).post(`/experiments/${body.id}/cancel`).set(bearer(read)).expect(403);
  await request(address).post(`/experiments/${body.id}/cancel`).set(bearer(train)).expect(200);
  const [run] = [await (services.trainingExecutor as FakeTrainingExecutor).run(0)];
  run.finish({ type: 'stopped', mode: 'cancel' });
  while (
    (await request(address).get(`/experiments/${body.id}`).set(bearer(read))).body.state !== 'cancelled'
  );
  await request(address).delete(`/experiments/${body.id}`).set(bearer(train)).expect(403);
  await request(address).delete(`/experiments/${body.id}`).set(bearer(admin)).expect(204);
  await request(address).post('/score').set(bearer(read)).send({ text: 'a' }).expect(404); // no model, but allowed
});

test('a key that is made, revoked or expired counts from the next request on', async (t) => {
  const { address, services } = await startService(t);
  await request(address).get('/experiments').expect(200);
  const keys = services.store.apiKeys;
  const key = createApiKey(keys, { name: 'first', scope: 'admin', expiresAt: null });
  await request(address).get('/experiments').expect(401);
  await request(address).get('/experiments').set(bearer(key)).expect(200);
  assert.throws(() => createApiKey(keys, { name: 'first', scope: 'read', expiresAt: null }), {
    code: 'api-key-exists',
  });
  const old = createApiKey(keys, { name: 'old', scope: 'admin', expiresAt: new Date(Date.now() - 1) });
  await request(address).get('/experiments').set(bearer(old)).expect(401);
  const [{ lastUsedAt }] = keys.list().map((row) => ApiKey.parse(row)) as [ApiKey];
  assert.ok(lastUsedAt);
  assert.ok(!JSON.stringify(keys.list()).includes(key), 'the key itself is not kept');
  revokeApiKey(keys, 'first');
  await request(address).get('/experiments').set(bearer(key)).expect(401);
  assert.throws(() => revokeApiKey(keys, 'first'), { code: 'api-key-not-found' });
});

test('a server for others asks for a key even when the last one is gone', async (t) => {
  const environment = parseEnvironment({ GATELM_HOST: '0.0.0.0', GATELM_DATA_DIR: temporaryFolder(t) });
  const services = createServices({
    environment,
    trainingExecutor: new FakeTrainingExecutor(),
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  cleanUp(t, () => services.close());
  createApiKey(services.store.apiKeys, { name: 'only', scope: 'admin', expiresAt: null });
  const app = await buildApp(services);
  cleanUp(t, () => app.close());
  revokeApiKey(services.store.apiKeys, 'only');
  assert.equal((await app.inject('/experiments')).statusCode, 401);
});

test('the scope of every route is what was decided for it', async (t) => {
  const environment = parseEnvironment({ GATELM_DATA_DIR: temporaryFolder(t) });
  const services = createServices({
    environment,
    trainingExecutor: new FakeTrainingExecutor(),
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  cleanUp(t, () => services.close());
  const app = await buildApp(services);
  cleanUp(t, () => app.close());
  await app.ready();
  const { paths } = JSON.parse((await app.inject('/openapi.json')).body);
  const needs: Record<string, string[]> = { read: [], train: [], admin: [] };
  for (const [path, methods] of Object.entries(paths as Record<string, Record<string, never>>)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const [{ apiKey }] = security as unknown as [{ apiKey: [string] }];
      if (method !== 'get' || apiKey[0] !== 'read') needs[apiKey[0]]!.push(`${method} ${path}`);
    }
  }
  assert.deepEqual(needs.admin!.sort(), [
    'delete /corpora/{name}',
    'delete /experiments/{id}',
    'delete /sweeps/{id}',
  ]);
  assert.deepEqual(needs.read!.sort(), [
    'delete /sessions/{id}',
    'post /corpora/{name}/tokens',
    'post /experiments/{id}/evaluate',
    'post /generate',
    'post /rank',
    'post /score',
    'post /score/stream',
    'post /sessions',
    'post /sessions/{id}/feed',
    'post /sessions/{id}/fork',
    'post /sessions/{id}/generate',
    'post /tickets',
    'post /v1/completions',
  ]);
  assert.ok(needs.train!.includes('post /experiments') && needs.train!.includes('patch /experiments/{id}'));
  assert.equal(scopeOf('PUT', {}), 'train', 'what changes something and names no scope needs more than read');
});

test('a ticket opens one stream, for a browser that can send no header', async (t) => {
  const { address, socketAddress, read, train } = await start(t);
  const { body } = await request(address).post('/experiments').set(bearer(train)).send({}).expect(201);
  const issue = async () =>
    Ticket.parse((await request(address).post('/tickets').set(bearer(read)).expect(201)).body).ticket;
  const path = `/experiments/${body.id}`;
  const ticket = await issue();
  const socket = new WebSocket(`${socketAddress}${path}/progress?ticket=${ticket}`);
  await once(socket, 'message');
  socket.terminate();
  const again = new WebSocket(`${socketAddress}${path}/progress?ticket=${ticket}`);
  assert.match(String((await once(again, 'error'))[0]), /401/);
  const events = await request(address)
    .get(`${path}/events?ticket=${await issue()}`)
    .expect(200);
  assert.equal(events.body.items[0].type, 'queued');
  await request(address)
    .get(`${path}/metrics?ticket=${await issue()}`)
    .expect(401);
  await request(address).post('/tickets').expect(401);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const late = await issue();
  t.mock.timers.tick(31_000);
  await request(address).get(`${path}/events?ticket=${late}`).expect(401);
});

test('each kind of request has its own limit, by key', async (t) => {
  const { address, read, train } = await start(t, {
    rateLimit: 20,
    inferenceRateLimit: 3,
    trainingRateLimit: 2,
  });
  const generate = (key: string) => request(address).get('/generate').set(bearer(key));
  for (let count = 0; count < 3; count++) await generate(read).expect(404);
  const { body, headers } = await generate(read).expect(429);
  assert.equal(body.code, 'rate-limited');
  assert.match(body.detail, /More than 3 requests in a minute/);
  assert.ok(Number(headers['retry-after']) > 0);
  await request(address).post('/score').set(bearer(read)).send({ text: 'a' }).expect(429);
  await generate(train).expect(404);
  for (let count = 0; count < 2; count++)
    await request(address).post('/experiments').set(bearer(train)).send({}).expect(201);
  await request(address).post('/experiments').set(bearer(train)).send({}).expect(429);
  for (let count = 0; count < 20; count++)
    await request(address).get('/presets').set(bearer(read)).expect(200);
  await request(address).get('/presets').set(bearer(read)).expect(429);
  await request(address).get('/presets').set(bearer(train)).expect(200);
});

test('the command makes, lists and revokes keys beside a running server', async (t) => {
  const { address, dataDir } = await startService(t);
  const gatelm = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [MAIN, 'keys', ...args, '--data-dir', dataDir],
      {
        encoding: 'utf8',
      },
    );
    return { status, stdout: stdout.trim(), stderr };
  };
  const made = gatelm('create', 'ci', '--scope', 'train', '--expires-days', '30');
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /^gatelm_[\w-]{43}$/);
  assert.match(made.stderr, /not shown again/);
  await request(address).get('/experiments').expect(401);
  await request(address).post('/experiments').set(bearer(made.stdout)).send({}).expect(201);
  const list = gatelm('list').stdout;
  assert.match(list, /^name +scope +key +created +expires +last used\nci +train +gatelm_[\w-]/);
  assert.ok(!list.includes(made.stdout));
  for (const [args, message] of [
    [['create', 'ci', '--scope', 'read'], /An API key named "ci" already exists/],
    [['create', 'x', '--scope', 'root'], /The scope.*read.*train.*admin/],
    [['create', '../x', '--scope', 'read'], /must be 1 to 63/],
    [['create', 'x', '--scope', 'read', '--expires-days', '-1'], /above 0/],
    [['revoke', 'nobody'], /no API key named "nobody"/],
  ] as const) {
    const { status, stderr } = gatelm(...args);
    assert.equal(status, 1);
    assert.match(stderr, message);
  }
  assert.equal(gatelm('revoke', 'ci').status, 0);
  await request(address).post('/experiments').set(bearer(made.stdout)).send({}).expect(201); // open again
});

test('no key and no ticket is ever in the log', async (t) => {
  const environment = parseEnvironment({
    GATELM_DATA_DIR: temporaryFolder(t),
    GATELM_API_KEYS: 'a-fixed-secret',
  });
  const services = createServices({
    environment,
    trainingExecutor: new FakeTrainingExecutor(),
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  cleanUp(t, () => services.close());
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await buildApp(services, { logger: createLogger({ logLevel: 'trace' }, stream) });
  cleanUp(t, () => app.close());
  const key = createApiKey(services.store.apiKeys, { name: 'k', scope: 'admin', expiresAt: null });
  const { ticket } = Ticket.parse(
    (await app.inject({ method: 'POST', url: '/tickets', headers: bearer(key) })).json(),
  );
  await app.inject({ url: `/experiments/none/events?ticket=${ticket}&since=0` });
  await app.inject({ url: '/experiments', headers: bearer('a-fixed-secret') });
  await app.inject({ url: '/experiments', headers: bearer('a-wrong-secret') });
  const injected = 'x%0A%7B%22level%22%3A60%7D\u001b[31m';
  await app.inject({
    url: `/experiments/${encodeURIComponent(injected)}`,
    headers: { ...bearer(key), 'user-agent': 'a\u001bb' },
  });
  const log = lines.join('');
  assert.ok(lines.length > 5);
  for (const secret of [key, ticket, 'a-fixed-secret', 'a-wrong-secret'])
    assert.ok(!log.includes(secret), secret);
  for (const line of log.trimEnd().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  assert.ok(!log.includes('\u001b'));
});
