import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import type { TrainingEvent } from '../../src/contracts/events.js';
import { preferredType } from '../../src/server/accept.js';
import {
  checkpointEvent,
  epochEvent,
  SUCCEEDED_EVENT,
  startedEvent,
  stepEvent,
} from '../support/fake-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, type TestService } from '../support/service.js';

async function train(service: TestService, body: object = {}): Promise<string> {
  const { address, socketAddress } = service;
  const posted = await request(address).post('/experiments').send(body).expect(201);
  await new ProgressClient(`${socketAddress}/experiments/${posted.body.id}/progress`).closed;
  return posted.body.id;
}

test('an experiment can write after its first checkpoint, and not before', async (t) => {
  const service = await startService(t);
  const { address, socketAddress, training, inference } = service;
  const none = await request(address).get('/generate').expect(404);
  assert.equal(none.body.code, 'no-experiment');
  const { body } = await request(address).post('/experiments').send({}).expect(201);
  const early = await request(address).get(`/generate?experiment=${body.id}`).expect(409);
  assert.equal(early.body.code, 'experiment-untrained');
  const run = await training.run(0);
  run.emit(startedEvent(), epochEvent(1), checkpointEvent(1));
  await new ProgressClient(`${socketAddress}/experiments/${body.id}/progress`).until('checkpoint');
  const answer = await request(address)
    .get(
      `/generate?experiment=${body.id}&prompt=the%20cat&maxTokens=5&temperature=0.8&topK=40&seed=1&stop=a,b&stop=c`,
    )
    .expect(200);
  assert.deepEqual(answer.body, {
    experimentId: body.id,
    prompt: 'the cat',
    promptTokens: 2,
    text: ' and so on',
    tokens: 5,
    finishReason: 'length',
    seed: 1,
    unknownWords: [],
  });
  const [task] = inference.tasks;
  assert.equal(task?.type, 'generate');
  assert.equal(task.model.digest, 'digest-1');
  assert.deepEqual(task.request, {
    prompt: 'the cat',
    maxTokens: 5,
    temperature: 0.8,
    topK: 40,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    stop: ['a,b', 'c'],
    seed: 1,
    suppressUnknown: true,
  });
});

test('the best succeeded experiment writes when none is named; plain text when that is asked for', async (t) => {
  const service = await startService(t);
  const ids: string[] = [];
  for (const [index, perplexity] of [120, 100, 110].entries()) {
    const { body } = await request(service.address).post('/experiments').send({}).expect(201);
    ids.push(body.id);
    const run = await service.training.run(index);
    run.emit(startedEvent(), epochEvent(1, perplexity), checkpointEvent(1), SUCCEEDED_EVENT);
    run.finish({ type: 'succeeded' });
    await new ProgressClient(`${service.socketAddress}/experiments/${body.id}/progress`).closed;
  }
  const { body } = await request(service.address).post('/generate').send({ prompt: 'a' }).expect(200);
  assert.equal(body.experimentId, ids[1]);
  const plain = await request(service.address)
    .get('/generate?prompt=the')
    .set('accept', 'text/plain')
    .expect(200);
  assert.equal(plain.text, 'the and so on');
});

test('a wrong parameter of a query is named with what came and the nearest known name', async (t) => {
  const { address } = await startService(t);
  const { body } = await request(address).get('/generate?maxToken=5&temperature=hot&topK=1.5').expect(400);
  assert.deepEqual(
    body.errors.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`).sort(),
    [
      'maxToken: unknown key "maxToken"; did you mean "maxTokens"?',
      'temperature: expected a number, got "hot"',
      'topK: expected an integer, got 1.5',
    ],
  );
});

test('metrics come as JSON, CSV and JSON Lines, uncut or thinned out', async (t) => {
  const service = await startService(t);
  const { body } = await request(service.address).post('/experiments').send({}).expect(201);
  const run = await service.training.run(0);
  run.emit(startedEvent());
  for (let step = 1; step <= 50; step++) run.emit(stepEvent(step));
  run.emit(epochEvent(5, 99.5), SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  await new ProgressClient(`${service.socketAddress}/experiments/${body.id}/progress`).closed;
  const path = `/experiments/${body.id}/metrics`;
  const get = (query: string, accept = '*/*') =>
    request(service.address).get(`${path}${query}`).set('accept', accept).expect(200);

  const one = await get('?keys=validPerplexity');
  assert.deepEqual(Object.keys(one.body.series), ['validPerplexity']);
  const [point] = one.body.series.validPerplexity;
  assert.deepEqual([point.step, point.epoch, point.value], [50, 5, 99.5]);
  assert.equal((await get('?keys=stepLoss')).body.series.stepLoss.length, 50);
  assert.equal((await get('?keys=stepLoss&maxPoints=7')).body.series.stepLoss.length, 7);
  const all = await get('');
  const points = Object.values<unknown[]>(all.body.series).reduce((sum, series) => sum + series.length, 0);

  const csv = await get('', 'text/csv');
  assert.match(csv.headers['content-type']!, /^text\/csv/);
  const lines = csv.text.trimEnd().split('\n');
  assert.equal(lines[0], 'key,step,epoch,time,value');
  assert.equal(lines.length - 1, points);
  assert.ok(lines.some((line) => /^validPerplexity,50,5,[^,]+,99\.5$/.test(line)));
  const jsonl = (await get('?format=jsonl')).text.trimEnd().split('\n');
  assert.equal(jsonl.length, points);
  assert.deepEqual(Object.keys(JSON.parse(jsonl[0]!)), ['key', 'step', 'epoch', 'time', 'value']);
});

test('a long series comes whole, in whatever format, one without points is empty, and one that is unknown is refused', async (t) => {
  const { app, services } = await startService(t);
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload: {} })).json();
  const { number } = services.store.experiments.find(id)!;
  const LENGTH = 12_345; // several pages of the store
  services.store.transaction(() => {
    for (let step = 1; step <= LENGTH; step++)
      services.store.metrics.addPoints(
        number,
        { step, epoch: step / 10, time: 0 },
        { long: step, two: -step },
      );
  });
  const read = async (query: string) => (await app.inject(`/experiments/${id}/metrics?${query}`)).body;
  const { series } = JSON.parse(await read('keys=long,gradNorm,two,long'));
  assert.deepEqual(Object.keys(series), ['long', 'gradNorm', 'two']);
  assert.deepEqual(series.gradNorm, []);
  for (const [key, sign] of [
    ['long', 1],
    ['two', -1],
  ] as const)
    assert.deepEqual(
      series[key].map(({ value }: { value: number }) => value),
      Array.from({ length: LENGTH }, (_, index) => sign * (index + 1)),
    );
  assert.deepEqual(JSON.parse(await read('keys=gradNorm')), { series: { gradNorm: [] } });
  const refused = JSON.parse(await read('keys=long,validPerplexty'));
  assert.deepEqual(refused.errors, [
    { path: 'keys.1', message: 'unknown metric "validPerplexty"; did you mean "validPerplexity"?' },
  ]);
  assert.equal((await read('format=csv')).trimEnd().split('\n').length, 2 * LENGTH + 1);
  assert.equal((await read('format=jsonl')).trimEnd().split('\n').length, 2 * LENGTH);
  const thin = JSON.parse(await read('maxPoints=100')).series;
  assert.deepEqual([thin.long.length, thin.long.at(-1).step], [100, LENGTH]);
});

test('an experiment is renamed, found by its tags and page by page', async (t) => {
  const service = await startService(t, { plays: true });
  const { address } = service;
  const ids: string[] = [];
  for (const epochs of [1, 3, 2]) ids.push(await train(service, { training: { epochs } }));
  const { body } = await request(address)
    .patch(`/experiments/${ids[0]}`)
    .send({ name: 'new', tags: ['x'] })
    .expect(200);
  assert.deepEqual([body.name, body.tags], ['new', ['x']]);
  await request(address).patch(`/experiments/${ids[0]}`).send({ state: 'succeeded' }).expect(400);
  const idsOf = async (query: string) =>
    (await request(address).get(`/experiments?${query}`).expect(200)).body.items.map(
      ({ id }: { id: string }) => id,
    );
  assert.deepEqual(await idsOf('tag=x'), [ids[0]]);
  assert.deepEqual(await idsOf('state=succeeded,failed&sort=validPerplexity'), [ids[1], ids[2], ids[0]]);
  assert.deepEqual(await idsOf('state=queued'), []);
  const first = await request(address).get('/experiments?limit=2').expect(200);
  assert.deepEqual(
    first.body.items.map(({ id }: { id: string }) => id),
    [ids[2], ids[1]],
  );
  assert.deepEqual(await idsOf(`limit=2&cursor=${first.body.nextCursor}`), [ids[0]]);
  const { errors } = (await request(address).get('/experiments?sort=-validPerplexty').expect(400)).body;
  assert.match(errors[0].message, /did you mean "-validPerplexity"\?/);
  const wrong = await request(address).get('/experiments?cursor=abc').expect(400);
  assert.equal(wrong.body.code, 'bad-request');
});

test('the same Idempotency-Key gives the same experiment, and with another body it is refused', async (t) => {
  const { address } = await startService(t);
  const post = (body: object) =>
    request(address).post('/experiments').set('idempotency-key', 'once').send(body);
  const first = await post({ preset: 'rnnlm' }).expect(201);
  const again = await post({ preset: 'rnnlm' }).expect(201);
  assert.equal(again.body.id, first.body.id);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal((await post({ preset: 'starter' }).expect(409)).body.code, 'idempotency-conflict');
  const { body } = await request(address).get('/experiments').expect(200);
  assert.equal(body.items.length, 1);
});

test('a queue that is full says so, and a dry run stores nothing', async (t) => {
  const { address, training } = await startService(t, { environment: { maxQueued: 1 } });
  const plan = await request(address).post('/experiments?dryRun=true').send({ preset: 'rnnlm' }).expect(200);
  assert.equal(plan.body.config.preset, 'rnnlm');
  await request(address).post('/experiments').send({}).expect(201);
  await training.run(0);
  await request(address).post('/experiments').send({}).expect(201);
  const { body } = await request(address).post('/experiments').send({}).expect(429);
  assert.equal(body.code, 'queue-full');
  assert.equal((await request(address).get('/experiments').expect(200)).body.items.length, 2);
});

test('Prometheus gets the experiments by state and the answers by route', async (t) => {
  const service = await startService(t, { plays: true });
  await train(service);
  const { text } = await request(service.address).get('/metrics').expect(200);
  assert.match(text, /^gatelm_experiments\{state="succeeded"\} 1$/m);
  assert.match(
    text,
    /^gatelm_http_request_duration_seconds_count\{method="POST",route="\/experiments",status="201"\} 1$/m,
  );
});

test('of the offered types the one that is liked best is taken', () => {
  const offered = ['application/json', 'text/csv'] as const;
  assert.equal(preferredType(undefined, offered), 'application/json');
  assert.equal(preferredType('text/csv', offered), 'text/csv');
  assert.equal(preferredType('text/*;q=0.5, application/json;q=0.4', offered), 'text/csv');
  assert.equal(preferredType('image/png', offered), 'application/json');
  assert.equal(preferredType('*/*, application/json;q=0', offered), 'text/csv');
  assert.equal(preferredType(`${'a,'.repeat(100_000)}`, offered), 'application/json');
});

test('Prometheus gets losses and speed of what trains, and the memory of each process', async (t) => {
  const { address, training, inference } = await startService(t);
  t.mock.method(training, 'hostStats', () => ({ processIds: [1], residentBytes: 12_000, cpuSeconds: 2.5 }));
  t.mock.method(inference, 'hostStats', () => ({ processIds: [2], residentBytes: 34_000, cpuSeconds: 1 }));
  const { body } = await request(address).post('/experiments').send({}).expect(201);
  const run = await training.run(0);
  run.emit(startedEvent(), stepEvent(7));
  const { text } = await request(address).get('/metrics').expect(200);
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  const ofTraining = (name: string) => value(`gatelm_training_${name}\\{experiment="${body.id}"\\}`);
  const { data } = stepEvent(7) as Extract<TrainingEvent, { type: 'step' }>;
  assert.equal(ofTraining('loss'), data.loss);
  assert.equal(ofTraining('tokens_per_second'), data.tokensPerSecond);
  assert.equal(value('gatelm_training_resident_memory_bytes'), 12_000);
  assert.equal(value('gatelm_inference_resident_memory_bytes'), 34_000);
  assert.ok(value('process_resident_memory_bytes') > 1e6);
  assert.equal(value('gatelm_training_cpu_seconds'), 2.5);
  assert.ok(value('process_cpu_seconds_total') > 0);
  assert.ok(value('gatelm_data_free_bytes') > 0);
  assert.ok(value('gatelm_machine_free_memory_bytes') <= value('gatelm_machine_memory_bytes'));
  assert.match(text, /^gatelm_build_info\{version="[\d.]+",node="v\d+[^"]*",platform="\w+ \w+"\} 1$/m);
  assert.match(text, /^gatelm_experiments\{state="running"\} 1$/m);
});
