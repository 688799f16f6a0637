import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { Problem } from '../../src/contracts/problem.js';
import {
  Sweep,
  SweepEventPage,
  SweepPage,
  SweepPlanBody,
  SweepTrialList,
} from '../../src/contracts/sweep-view.js';
import { startService } from '../support/service.js';

const BODY = {
  name: 'rates',
  base: { training: { epochs: 9 } },
  space: {
    'optimizer.learningRate': { type: 'log-uniform', low: 0.01, high: 100 },
    'model.hiddenSizes': { type: 'choice', values: [[10], [20, 10]] },
  },
  stopping: { type: 'asha' },
  limits: { experiments: 12, parallel: 2 },
};

const start = (t: Parameters<typeof startService>[0]) =>
  startService(t, {
    slots: 2,
    plays: ({ optimizer }, epoch) => 4 + Math.log10(optimizer.learningRate / 3) ** 2 + 1 / epoch,
  });

/** The sweep, once it is in a state. */
async function reaches(address: string, id: string, state: string): Promise<Sweep> {
  for (;;) {
    const sweep = Sweep.parse((await request(address).get(`/sweeps/${id}`).expect(200)).body);
    if (sweep.state === state) return sweep;
  }
}

test('a sweep is posted, runs, and is read by its id or its name', async (t) => {
  const { address } = await start(t);
  const answer = await request(address).post('/sweeps').send(BODY).expect(201);
  const { id, links } = Sweep.parse(answer.body);
  assert.equal(answer.headers.location, `/sweeps/${id}`);
  const sweep = await reaches(address, id, 'finished');
  assert.equal(sweep.trials.proposed, 12);
  assert.ok(sweep.best!.value! < 5);
  assert.deepEqual(Sweep.parse((await request(address).get('/sweeps/rates')).body), sweep);

  const listed = await request(address).get(links.experiments!).expect(200);
  assert.equal(listed.body.items.length, 12);
  const page = SweepPage.parse((await request(address).get('/sweeps?limit=1').expect(200)).body);
  assert.deepEqual([page.items.length, page.nextCursor], [1, null]);
});

test('the table of a sweep comes as JSON and as CSV, in order of trials or of values', async (t) => {
  const { address } = await start(t);
  const { id } = (await request(address).post('/sweeps').send(BODY)).body;
  await reaches(address, id, 'finished');
  const byTrial = SweepTrialList.parse((await request(address).get(`/sweeps/${id}/trials`)).body).items;
  assert.deepEqual(
    byTrial.map(({ trial }) => trial),
    Array.from({ length: 12 }, (_, index) => index),
  );
  const byValue = (await request(address).get(`/sweeps/${id}/trials?sort=value`)).body.items;
  const values = byValue.map(({ value }: { value: number }) => value);
  assert.deepEqual(
    values,
    values.toSorted((a: number, b: number) => a - b),
  );

  const csv = await request(address).get(`/sweeps/${id}/trials`).set('accept', 'text/csv').expect(200);
  assert.match(csv.headers['content-type']!, /^text\/csv/);
  const lines = csv.text.trimEnd().split('\n');
  assert.equal(
    lines[0],
    'trial,state,epochs,value,bestEpoch,optimizer.learningRate,model.hiddenSizes,experiments',
  );
  assert.equal(lines.length, 13);
  const [{ trial, state, epochs, point, experimentIds }] = byTrial as [(typeof byTrial)[number]];
  assert.ok(lines[1]!.startsWith(`${trial},${state},${epochs},`));
  const sizes = JSON.stringify(point['model.hiddenSizes']);
  assert.ok(lines[1]!.includes(sizes.includes(',') ? `"${sizes}"` : sizes));
  assert.ok(lines[1]!.endsWith(`,${experimentIds[0]}`));
});

test('wrong paths and values are refused at once, each with its place', async (t) => {
  const { address, services } = await start(t);
  const space = {
    'optimizer.learningRat': { type: 'uniform', low: 0, high: 1 },
  };
  const { body } = await request(address).post('/sweeps').send({ space }).expect(400);
  const [issue] = Problem.parse(body).errors!;
  assert.equal(issue!.path, 'space.optimizer.learningRat');
  assert.match(issue!.message, /did you mean "optimizer.learningRate"/);
  await request(address)
    .post('/sweeps')
    .send({ ...BODY, corpus: 'nothing' })
    .expect(404);
  await request(address)
    .post('/sweeps')
    .send({ ...BODY, limits: { experiments: 1 }, seedsPerPoint: 2 })
    .expect(400);
  await request(address).get('/sweeps/nothing').expect(404);
  assert.equal(services.store.sweeps.page(10, null).length, 0);
});

test('a dry run says what would be tried and how long it would take, and stores nothing', async (t) => {
  const { address, services } = await start(t);
  const plan = async (changes: object) =>
    SweepPlanBody.parse(
      (
        await request(address)
          .post('/sweeps?dryRun=true')
          .send({ ...BODY, ...changes })
          .expect(200)
      ).body,
    );
  const stopped = await plan({});
  assert.equal(stopped.trials, 12);
  assert.equal(stopped.firstPoints.length, 10);
  const whole = await plan({ stopping: { type: 'none' } });
  assert.equal(whole.epochs, 12 * 9);
  assert.ok(stopped.epochs < whole.epochs / 2, `${stopped.epochs} epochs`);
  assert.equal(whole.estimate!.secondsPerEpoch, 1);
  assert.equal(whole.estimate!.seconds, (12 * 9) / 2, 'two at a time');
  assert.equal(services.store.sweeps.page(10, null).length, 0);
  assert.equal(services.store.experiments.countByState().size, 0);
});

test('the verbs of a sweep, and those that do not fit its state', async (t) => {
  const { address } = await start(t);
  const { id } = (await request(address).post('/sweeps').send(BODY)).body;
  const post = (verb: string, body?: object) => request(address).post(`/sweeps/${id}/${verb}`).send(body);
  await request(address).delete(`/sweeps/${id}`).expect(409);
  assert.equal((await post('pause').expect(200)).body.state, 'paused');
  assert.equal((await post('pause').expect(200)).body.state, 'paused');
  assert.equal((await post('extend', { experiments: 3 }).expect(200)).body.limits.experiments, 15);
  await post('extend', {}).expect(400);
  assert.equal((await post('resume').expect(200)).body.state, 'running');
  const finished = await reaches(address, id, 'finished');
  assert.equal(finished.trials.proposed, 15);
  const refused = await post('resume').expect(409);
  assert.equal(refused.body.code, 'sweep-state-conflict');
  assert.equal((await post('cancel').expect(200)).body.state, 'cancelled');
  await request(address).delete(`/sweeps/${id}`).expect(204);
  await request(address).get(`/sweeps/${id}`).expect(404);
});

test('events of a sweep come in pages', async (t) => {
  const { address } = await start(t);
  const { id } = (await request(address).post('/sweeps').send(BODY)).body;
  const { seq } = await reaches(address, id, 'finished');
  let since = 0;
  const types: string[] = [];
  for (let hasMore = true; hasMore; ) {
    const url = `/sweeps/${id}/events?since=${since}&limit=10`;
    const page = SweepEventPage.parse((await request(address).get(url).expect(200)).body);
    types.push(...page.items.map(({ type }) => type));
    ({ nextSince: since, hasMore } = page);
  }
  assert.equal(types.length, seq);
  assert.equal(types.at(-1), 'finished');
});
