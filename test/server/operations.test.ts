import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import request from 'supertest';
import { parseEnvironment } from '../../src/contracts/environment.js';
import { Readiness } from '../../src/contracts/health.js';
import { ExperimentPlan } from '../../src/contracts/http.js';
import { createServices } from '../../src/experiments/services.js';
import { buildApp } from '../../src/server/app.js';
import { createLogger } from '../../src/server/logger.js';
import { cleanUp } from '../support/clean-up.js';
import { FakeInferenceExecutor, FakeTrainingExecutor } from '../support/fake-executor.js';
import { inProcess } from '../support/in-process-executor.js';
import { startService, temporaryFolder } from '../support/service.js';

test('is ready while its hosts could load TensorFlow, or have not tried, and says why it is not', async (t) => {
  const { address, inference } = await startService(t);
  const { body } = await request(address).get('/readyz').expect(200);
  assert.deepEqual(Readiness.parse(body), {
    status: 'ready',
    database: 'ready',
    training: 'idle',
    inference: 'idle',
  });
  t.mock.method(inference, 'hostStats', () => ({ processIds: [1], residentBytes: 0, cpuSeconds: 0 }));
  assert.equal((await request(address).get('/readyz').expect(200)).body.inference, 'ready');
  t.mock.method(inference, 'unusableReason', () => 'libtensorflow.so.2 is missing');
  const refused = await request(address).get('/readyz').expect(503);
  assert.match(refused.body.detail, /The inference host is not running: libtensorflow\.so\.2 is missing/);
});

test('the log has a line of JSON for each request and each change of an experiment, with their ids', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const logger = createLogger({ logLevel: 'info' }, stream);
  const training = new FakeTrainingExecutor();
  const services = createServices({
    environment: { ...parseEnvironment({}), dataDir: temporaryFolder(t), shutdownGraceMs: 0 },
    trainingExecutor: training,
    inferenceExecutor: new FakeInferenceExecutor(),
    logger,
  });
  cleanUp(t, () => services.close());
  const app = await buildApp(services, { logger });
  cleanUp(t, () => app.close());
  const posted = await app.inject({ method: 'POST', url: '/experiments', payload: {} });
  const { id } = posted.json();
  await training.run(0);
  await app.inject(`/experiments/${id}`);
  const asked = lines.find(({ msg }) => msg === 'experiment requested')!;
  assert.equal(asked.experimentId, id);
  assert.match(String(asked.reqId), /^[0-9a-f]{16}$/);
  const changes = lines.filter(({ experimentId, seq }) => experimentId === id && seq !== undefined);
  assert.deepEqual(
    changes.map(({ seq, type }) => [seq, type]),
    [
      [1, 'queued'],
      [2, 'preparing'],
    ],
  );
  const read = lines.find(({ req }) => (req as { url?: string })?.url === `/experiments/${id}`)!;
  assert.equal((read.req as { experimentId: string }).experimentId, id);
});

test('a dry run of the real worker says what a training would take', async (t) => {
  const { address } = await startService(t, { executor: inProcess });
  const plan = async (fields: object, status = 200) =>
    (await request(address).post('/experiments?dryRun=true').send(fields).expect(status)).body;
  await request(address)
    .post('/corpora?name=cats&tokenized=true')
    .type('text/plain')
    .send('the cat sat\n'.repeat(800))
    .expect(201);
  const model = { embeddingSize: 8, hiddenSizes: [8] };
  const tokenizer = { type: 'word', preTokenizer: 'prose' };
  const fields = { corpus: 'cats', tokenizer, model, training: { epochs: 5 } };
  const { estimate } = ExperimentPlan.parse(await plan(fields));
  assert.equal(estimate!.vocabularySize, 5);
  assert.equal(estimate!.parameterCount, 5 * 8 + 4 * 8 * 17 + 5 * 8 + 5);
  assert.ok(estimate!.measured!.seconds > 0);
  assert.ok(estimate!.memoryBytes > 4 * estimate!.parameterCount);
  const { body } = await request(address).get('/experiments').expect(200);
  assert.deepEqual(body.items, []);
  const training = { batchSize: 1000 };
  assert.equal((await plan({ corpus: 'cats', model, training }, 400)).code, 'corpus-too-short');
});

test('a connection that was opened ahead and never used does not hold up the end', {
  timeout: 20_000,
}, async (t) => {
  const { address, close } = await startService(t);
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  const ended = once(socket, 'close');
  await once(socket, 'connect');
  await request(address).get('/healthz').expect(200); // by then the server knows the first one
  await close();
  await ended;
});
