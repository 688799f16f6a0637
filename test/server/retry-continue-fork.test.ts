import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import request from 'supertest';
import { Experiment } from '../../src/contracts/experiment.js';
import {
  checkpointEvent,
  epochEvent,
  type FakeRun,
  SUCCEEDED_EVENT,
  startedEvent,
} from '../support/fake-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, type TestService } from '../support/service.js';

const SNAPSHOT = 'checkpoints/step-000000010.safetensors';

/** Files as a training leaves them; what is in them is for the worker to judge. */
function writeCheckpoint(service: TestService, id: string): void {
  const files = {
    'checkpoints/latest.json': JSON.stringify({ file: 'step-000000010.safetensors' }),
    [SNAPSHOT]: 'weights and more',
    'model/tokenizer.json': 'a tokenizer',
    'model/weights.safetensors': 'the best weights',
  };
  for (const [file, text] of Object.entries(files)) {
    const path = join(folderOf(service, id), file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function folderOf({ dataDir }: TestService, id: string): string {
  return join(dataDir, 'experiments', id);
}

/** Trains one epoch and ends as it is told. */
async function play(service: TestService, id: string, index: number, end: (run: FakeRun) => void) {
  const run = await service.training.run(index);
  writeCheckpoint(service, id);
  run.emit(startedEvent(run.job.attempt), epochEvent(1), checkpointEvent(1));
  const client = new ProgressClient(`${service.socketAddress}/experiments/${id}/progress`);
  await client.until('checkpoint');
  end(run);
  await client.closed;
  return run;
}

async function post(service: TestService, path: string, body: object | undefined, status: number) {
  return (await request(service.address).post(path).send(body).expect(status)).body;
}

const succeed = (run: FakeRun) => {
  run.emit(SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
};
const fail = (run: FakeRun) =>
  run.finish({ type: 'failed', error: { code: 'internal', message: 'for a test', details: {} } });

test('a failed experiment is retried from its checkpoint, once however often it is asked', async (t) => {
  const service = await startService(t);
  const { id } = await post(service, '/experiments', {}, 201);
  await play(service, id, 0, fail);
  const [one, two] = [
    await post(service, `/experiments/${id}/retry`, undefined, 200),
    await post(service, `/experiments/${id}/retry`, {}, 200),
  ];
  assert.deepEqual([one.state, one.error, one.endedAt], ['queued', null, null]);
  assert.ok(['queued', 'preparing'].includes(two.state));
  const run = await service.training.run(1);
  assert.deepEqual([run.job.attempt, run.job.resume, run.job.initial], [2, true, null]);
  run.emit(startedEvent(2));
  succeed(run);
  await new ProgressClient(`${service.socketAddress}/experiments/${id}/progress`).closed;
  assert.equal(service.training.runs.length, 2);
  const refused = await post(service, `/experiments/${id}/retry`, {}, 409);
  assert.equal(refused.code, 'state-conflict');
  assert.match(refused.detail, /is succeeded; retry needs it to be failed, cancelled, interrupted/);
});

test('a cancelled experiment is retried, a paused one is not', async (t) => {
  const service = await startService(t);
  await post(service, '/experiments', {}, 201); // holds the slot
  const { id } = await post(service, '/experiments', {}, 201);
  await post(service, `/experiments/${id}/pause`, {}, 200);
  assert.match((await post(service, `/experiments/${id}/retry`, {}, 409)).detail, /is paused/);
  await post(service, `/experiments/${id}/cancel`, {}, 200);
  const retried = await post(service, `/experiments/${id}/retry`, {}, 200);
  assert.deepEqual([retried.state, retried.queuePosition], ['queued', 0]);
});

test('an experiment that succeeded goes on for more epochs, and nothing that ended it early holds', async (t) => {
  const service = await startService(t);
  const limits = { maxDuration: 60, maxSteps: 500, firstPlannedSteps: 700 };
  const training = { epochs: 9, earlyStopping: { patience: 1 }, ...limits };
  const { id } = await post(service, '/experiments', { training }, 201);
  const early = await post(service, `/experiments/${id}/continue`, { epochs: 3 }, 409);
  assert.match(early.detail, /continue needs it to be succeeded/);
  await play(service, id, 0, succeed);
  await post(service, `/experiments/${id}/continue`, { epochs: 0 }, 400);
  const first = Experiment.parse(await post(service, `/experiments/${id}/continue`, { epochs: 3 }, 200));
  const again = Experiment.parse(await post(service, `/experiments/${id}/continue`, { epochs: 3 }, 200));
  assert.equal(first.state, 'queued');
  assert.deepEqual(again.config, first.config);
  const run = await service.training.run(1);
  assert.equal(run.job.resume, true);
  assert.deepEqual(run.job.config.training, {
    ...first.config.training,
    epochs: 4, // the one that it has done, and three
    earlyStopping: null,
    maxDuration: null,
    timeBudget: null,
    maxSteps: null,
    firstPlannedSteps: null,
  });
});

test('an experiment goes on with another rate and schedule, and a budget that has ended it is lifted', async (t) => {
  const service = await startService(t);
  const { id } = await post(service, '/experiments', { preset: 'auto', budget: '30s' }, 201);
  const { job } = await service.training.run(0);
  assert.equal(job.config.training.timeBudget, 30);
  await play(service, id, 0, succeed);
  const wrong = await post(service, `/experiments/${id}/continue`, { epochs: 1, learningRate: -1 }, 400);
  assert.match(wrong.detail, /learningRate/);
  const changes = { epochs: 2, learningRate: 0.0005, schedule: { type: 'constant' } };
  const { config } = Experiment.parse(await post(service, `/experiments/${id}/continue`, changes, 200));
  assert.deepEqual(config.optimizer, { ...job.config.optimizer, learningRate: 0.0005 });
  assert.deepEqual(config.schedule, { type: 'constant' });
  assert.deepEqual([config.training.timeBudget, config.training.maxSteps], [null, null]);
});

test('an experiment whose checkpoint is gone does not go on as if it were there', async (t) => {
  const service = await startService(t);
  const { id } = await post(service, '/experiments', {}, 201);
  await play(service, id, 0, succeed);
  rmSync(join(folderOf(service, id), 'checkpoints'), { recursive: true });
  const refused = await post(service, `/experiments/${id}/continue`, { epochs: 1 }, 404);
  assert.equal(refused.code, 'checkpoint-not-found');
  assert.equal((await request(service.address).get(`/experiments/${id}`)).body.state, 'succeeded');
});

test('a fork begins with its parent’s checkpoint and with the config that it changes', async (t) => {
  const service = await startService(t);
  const body = { name: 'parent', tags: ['a'], optimizer: { type: 'sgd', learningRate: 3 } };
  const parent = await post(service, '/experiments', body, 201);
  const untrained = await post(service, `/experiments/${parent.id}/fork`, {}, 409);
  assert.equal(untrained.code, 'experiment-untrained');
  await play(service, parent.id, 0, succeed);
  const changes = {
    optimizer: { type: 'adam' },
    training: { epochs: 2 },
    model: { dropout: { output: 0.5 } },
  };
  const fork = Experiment.parse(await post(service, `/experiments/${parent.id}/fork`, changes, 201));
  assert.deepEqual(
    [fork.parentId, fork.state, fork.name, fork.tags],
    [parent.id, 'queued', 'fork of parent', []],
  );
  assert.deepEqual([fork.config.optimizer.type, fork.config.optimizer.learningRate], ['adam', 0.001]);
  assert.deepEqual(fork.config.training, { ...parent.config.training, epochs: 2 });
  assert.equal(fork.config.model.dropout.output, 0.5);

  const { job } = await service.training.run(1);
  assert.equal(job.resume, false);
  const copy = join(folderOf(service, fork.id), 'initial');
  assert.equal(join(service.dataDir, job.initial!), copy);
  assert.equal(readFileSync(join(copy, SNAPSHOT), 'utf8'), 'weights and more');
  assert.equal(readFileSync(join(copy, 'model/tokenizer.json'), 'utf8'), 'a tokenizer');

  await request(service.address).delete(`/experiments/${parent.id}`).expect(204);
  assert.ok(existsSync(join(copy, SNAPSHOT)), 'the fork keeps what it begins with');
});

test('without a snapshot a fork begins with the best weights', async (t) => {
  const service = await startService(t);
  const { id } = await post(service, '/experiments', {}, 201);
  await play(service, id, 0, succeed);
  rmSync(join(folderOf(service, id), 'checkpoints'), { recursive: true });
  const fork = await post(service, `/experiments/${id}/fork`, undefined, 201);
  assert.ok(existsSync(join(folderOf(service, fork.id), 'initial/model/weights.safetensors')));
});

test('a change that does not fit the weights is refused by name, and leaves nothing behind', async (t) => {
  const service = await startService(t);
  const parent = await post(
    service,
    '/experiments',
    { model: { embeddingSize: 20, hiddenSizes: [20] } },
    201,
  );
  await play(service, parent.id, 0, succeed);
  const path = `/experiments/${parent.id}/fork`;
  for (const [field, changes] of Object.entries({
    'model.hiddenSizes': { model: { hiddenSizes: [20, 20] } },
    'model.embeddingSize': { model: { embeddingSize: 30 } },
    'model.tieWeights': { model: { tieWeights: true } },
    tokenizer: { tokenizer: { type: 'character' } },
    preset: { preset: 'rnnlm' },
  })) {
    const refused = await post(service, path, changes, 400);
    assert.equal(refused.code, 'config-conflict', field);
    assert.ok(refused.detail.startsWith(`${field}: `), refused.detail);
  }
  assert.match(
    (await post(service, path, { model: { hiddenSizes: [30] } }, 400)).detail,
    /\[30\] does not fit the weights of \w+, which have \[20\]/,
  );
  const unknown = await post(service, path, { optimiser: {} }, 400);
  assert.match(unknown.detail, /did you mean "optimizer"/);
  assert.equal((await post(service, path, { corpus: 'nothing' }, 404)).code, 'corpus-not-found');
  assert.equal((await post(service, path, [], 400)).code, 'validation-failed');
  assert.deepEqual(readdirSync(join(service.dataDir, 'experiments')), [parent.id]);
});

test('a fork may grow its vocabulary, within limits that it may change, but not with byte pairs', async (t) => {
  const service = await startService(t);
  const parentOf = async (tokenizer: object, index: number) => {
    const { id } = await post(service, '/experiments', { model: {}, tokenizer }, 201);
    await play(service, id, index, succeed);
    return `/experiments/${id}/fork`;
  };
  const known = startedEvent().data.vocabularySize;
  const path = await parentOf({ type: 'word', vocabularySize: known }, 0);
  const full = await post(service, path, { growVocabulary: true }, 400);
  assert.match(
    full.detail,
    /^growVocabulary: the vocabulary of \S+ has \d+ tokens and tokenizer.vocabularySize/,
  );
  const tokenizer = { vocabularySize: known + 100, minCount: 1 };
  const fork = Experiment.parse(await post(service, path, { growVocabulary: true, tokenizer }, 201));
  assert.equal(fork.config.growVocabulary, true);
  assert.equal(fork.config.tokenizer.vocabularySize, known + 100);
  await post(service, path, { tokenizer }, 400);
  const { job } = await service.training.run(1);
  assert.equal(job.config.growVocabulary, true);
  await play(service, fork.id, 1, succeed);
  const second = Experiment.parse(await post(service, `/experiments/${fork.id}/fork`, {}, 201));
  assert.equal(second.config.growVocabulary, undefined, 'only the fork that asks for it grows');
  await play(service, second.id, 2, succeed);

  const pairs = await parentOf({ type: 'byte-pair' }, 3);
  const refused = await post(service, pairs, { growVocabulary: true }, 400);
  assert.equal(refused.code, 'config-conflict');
  assert.match(refused.detail, /^growVocabulary: the byte pairs of/);
});

test('the same Idempotency-Key gives the same fork', async (t) => {
  const service = await startService(t);
  const { id } = await post(service, '/experiments', {}, 201);
  await play(service, id, 0, succeed);
  const fork = (body: object) =>
    request(service.address).post(`/experiments/${id}/fork`).set('idempotency-key', 'once').send(body);
  const first = await fork({}).expect(201);
  const again = await fork({}).expect(201);
  assert.equal(again.body.id, first.body.id);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal((await fork({ name: 'other' }).expect(409)).body.code, 'idempotency-conflict');
  assert.equal(readdirSync(join(service.dataDir, 'experiments')).length, 2);
});

test('a fork of an epoch whose checkpoint was not kept is refused by name', async (t) => {
  const service = await startService(t);
  const { address } = service;
  const { body } = await request(address).post('/experiments').send({}).expect(201);
  writeCheckpoint(service, body.id);
  const fork = (fields: object) => request(address).post(`/experiments/${body.id}/fork`).send(fields);
  const missing = await fork({ fromEpoch: 3 }).expect(404);
  assert.match(
    missing.body.detail,
    /no checkpoint of epoch 3 \(training.keepEvery says which are kept; it is /,
  );
  await fork({ fromEpoch: 0 }).expect(400);
  const record = join(folderOf(service, body.id), 'checkpoints', 'epoch-000003.json');
  writeFileSync(record, JSON.stringify({ file: 'step-000000010.safetensors' }));
  const { body: made } = await fork({ fromEpoch: 3, training: { epochs: 2 } }).expect(201);
  assert.equal(made.config.training.epochs, 2);
  assert.equal(made.parentId, body.id);
});

test('beyond the quota of the disk nothing new is taken, and what is there goes on', async (t) => {
  const service = await startService(t, { environment: { diskQuotaBytes: 2_000_000 } });
  const { address, training } = service;
  const create = () => request(address).post('/experiments').send({});
  const { body } = await create().expect(201);
  writeCheckpoint(service, body.id);
  writeFileSync(join(folderOf(service, body.id), 'checkpoints', 'big'), Buffer.alloc(2_000_000));
  const refused = await create().expect(507);
  assert.equal(refused.body.code, 'disk-quota-exceeded');
  assert.match(refused.body.detail, /holds \d+ bytes, GATELM_DISK_QUOTA_BYTES is 2000000/);
  await request(address).post(`/experiments/${body.id}/fork`).send({}).expect(507);
  await request(address).post('/corpora?name=a').type('text/plain').send('some text').expect(507);
  const run = await training.run(0);
  run.emit(startedEvent(), epochEvent(1), SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  const end = async () => (await request(address).get(`/experiments/${body.id}`)).body.state;
  while ((await end()) !== 'succeeded');
  await request(address).delete(`/experiments/${body.id}`).expect(204);
  await create().expect(201);
});
