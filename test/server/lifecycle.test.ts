import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { Experiment } from '../../src/contracts/experiment.js';
import {
  checkpointEvent,
  epochEvent,
  SUCCEEDED_EVENT,
  startedEvent,
  stepEvent,
} from '../support/fake-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

test('an experiment is posted, followed to its last event, and found again with its metrics', async (t) => {
  const { address, socketAddress } = await startService(t, { plays: true });
  const posted = await request(address)
    .post('/experiments')
    .send({ preset: 'rnnlm', training: { epochs: 3 } })
    .expect(201);
  const experiment = Experiment.parse(posted.body);
  assert.equal(experiment.state, 'queued');
  assert.equal(experiment.config.training.epochs, 3);
  assert.equal(experiment.config.training.batchSize, 20);
  assert.equal(posted.headers.location, `/experiments/${experiment.id}`);

  const client = new ProgressClient(`${socketAddress}/experiments/${experiment.id}/progress?since=0`);
  assert.deepEqual(await client.closed, { code: 1000, reason: 'succeeded' });
  assert.equal(client.messages[0]?.type, 'snapshot');
  assert.deepEqual(
    client.seqs,
    client.seqs.map((_, index) => index + 1),
  );
  const types = client.messages.slice(1).map(({ type }) => type);
  assert.deepEqual(types.slice(0, 3), ['queued', 'preparing', 'started']);
  assert.equal(types.filter((type) => type === 'epoch').length, 3);
  assert.equal(types.at(-1), 'succeeded');

  const { body } = await request(address).get(`/experiments/${experiment.id}`).expect(200);
  const ended = Experiment.parse(body);
  assert.equal(ended.state, 'succeeded');
  assert.equal(ended.latest.epoch, 3);
  assert.equal(ended.best.epoch, 3);
  assert.equal(ended.test.perplexity, 90);
  assert.equal(ended.parameterCount, 1234);
  assert.equal(ended.seq, client.seqs.length);
});

test('experiments wait for the slot: the urgent one first, then in order of arrival', async (t) => {
  const { address, training } = await startService(t);
  const post = async (body: object) =>
    (await request(address).post('/experiments').send(body).expect(201)).body.id;
  const first = await post({});
  const second = await post({});
  const urgent = await post({ priority: 5 });
  const run = await training.run(0);
  assert.equal(run.experimentId, first);
  const waiting = await request(address).get(`/experiments/${second}`);
  assert.equal(waiting.body.state, 'queued');
  assert.equal(waiting.body.queuePosition, 1);
  assert.equal(training.runs.length, 1);
  run.emit(startedEvent(), SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  const next = await training.run(1);
  assert.equal(next.experimentId, urgent);
  next.finish({ type: 'failed', error: { code: 'internal', message: 'for a test', details: {} } });
  assert.equal((await training.run(2)).experimentId, second);
  const failed = await request(address).get(`/experiments/${urgent}`);
  assert.equal(failed.body.state, 'failed');
  assert.equal(failed.body.error.message, 'for a test');
});

test('cancelling asks the training to stop, and it is idempotent', async (t) => {
  const { address, socketAddress, training } = await startService(t);
  const { body } = await request(address).post('/experiments').send({}).expect(201);
  const run = await training.run(0);
  run.emit(startedEvent(), epochEvent(1), checkpointEvent(1), stepEvent(12));
  const client = new ProgressClient(`${socketAddress}/experiments/${body.id}/progress`);
  await client.until('step');
  const cancelling = await request(address).post(`/experiments/${body.id}/cancel`).expect(200);
  assert.equal(cancelling.body.state, 'cancelling');
  await request(address).post(`/experiments/${body.id}/cancel`).expect(200);
  assert.deepEqual(run.stops, ['cancel']);
  run.finish({ type: 'stopped', mode: 'cancel' });
  const last = await client.until('cancelled');
  assert.ok('data' in last);
  assert.deepEqual(last.data, { epoch: 1, step: 12 });
  assert.equal((await client.closed).code, 1000);
  const again = await request(address).post(`/experiments/${body.id}/cancel`).expect(200);
  assert.equal(again.body.state, 'cancelled');
  const refused = await request(address).post(`/experiments/${body.id}/pause`).expect(409);
  assert.equal(refused.body.code, 'state-conflict');
  assert.match(refused.body.detail, /is cancelled; pause needs it to be queued, preparing, running/);
  assert.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8');
});

test('killing ends what does not heed a cancel, at once and without a last checkpoint', async (t) => {
  const { address, training } = await startService(t, { slots: 2 });
  const create = async () => (await request(address).post('/experiments').send({}).expect(201)).body.id;
  const post = (id: string, verb: string) => request(address).post(`/experiments/${id}/${verb}`);
  const [id, bystander, waiting] = [await create(), await create(), await create()];
  const [run, other] = [await training.run(0), await training.run(1)];
  for (const each of [run, other]) each.emit(startedEvent());
  await post(id, 'cancel').expect(200);
  assert.deepEqual(run.stops, ['cancel']);
  const { body: asked } = await post(id, 'kill').expect(200);
  assert.equal(asked.state, 'cancelling');
  const stateOf = async (which: string) => (await request(address).get(`/experiments/${which}`)).body.state;
  while ((await stateOf(id)) !== 'cancelled');
  assert.equal((await post(id, 'kill').expect(200)).body.state, 'cancelled', 'it is idempotent');

  const third = await training.run(2);
  assert.equal(third.experimentId, waiting);
  other.finish({ type: 'interrupted', reason: 'its host was killed', isBystander: true });
  const again = await training.run(3); // by itself nobody is started again here but a bystander, whose restart does not count
  assert.equal(again.experimentId, bystander);
  assert.equal(again.job.resume, true);
  const types = (await request(address).get(`/experiments/${bystander}/events`)).body.items.map(
    ({ type }: { type: string }) => type,
  );
  assert.deepEqual(types.slice(-3), ['interrupted', 'queued', 'preparing']);

  third.emit(startedEvent(), epochEvent(1), SUCCEEDED_EVENT);
  third.finish({ type: 'succeeded' });
  while ((await stateOf(waiting)) !== 'succeeded');
  const { body } = await post(waiting, 'kill').expect(409);
  assert.match(body.detail, /is succeeded; kill needs it to be queued, /);
});
