/** What a page that draws curves asks for: extremes of a long series, a part of it, and events without steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

async function trained(t: Parameters<typeof startService>[0]) {
  const { address, socketAddress } = await startService(t, { plays: true });
  const { body } = await request(address)
    .post('/experiments')
    .send({ training: { epochs: 5 } })
    .expect(201);
  const path = `/experiments/${body.id}`;
  await new ProgressClient(`${socketAddress}${path}/progress?since=0`).closed;
  const get = async (query: string) =>
    (
      await request(address)
        .get(path + query)
        .expect(200)
    ).body;
  return { get };
}

test('a part of a series is read by its steps, and keep=extremes has its lowest and highest', async (t) => {
  const { get } = await trained(t);
  const whole: { step: number; value: number }[] = (await get('/metrics?keys=stepLoss')).series.stepLoss;
  const part = (await get('/metrics?keys=stepLoss&fromStep=11&toStep=20')).series.stepLoss;
  assert.deepEqual(
    part,
    whole.filter(({ step }) => step >= 11 && step <= 20),
  );
  assert.ok(part.length > 0);
  const thin: typeof whole = (await get('/metrics?keys=stepLoss&maxPoints=10&keep=extremes')).series.stepLoss;
  assert.ok(thin.length <= 10);
  const values = (points: typeof whole) => points.map(({ value }) => value);
  assert.equal(Math.max(...values(thin)), Math.max(...values(whole)));
  assert.equal(Math.min(...values(thin)), Math.min(...values(whole)));
  assert.deepEqual((await get('/metrics?keys=stepLoss&fromStep=999999')).series, { stepLoss: [] });
});

test('events of some types alone come in order, page by page, to their end', async (t) => {
  const { get } = await trained(t);
  const all: { type: string; seq: number }[] = (await get('/events')).items;
  const wanted = all.filter(({ type }) => type === 'epoch' || type === 'succeeded');
  const first = await get('/events?types=epoch,succeeded&limit=4');
  assert.deepEqual(first.items, wanted.slice(0, 4));
  assert.equal(first.hasMore, true);
  const rest = await get(`/events?types=epoch,succeeded&since=${first.nextSince}`);
  assert.deepEqual(rest.items, wanted.slice(4));
  assert.deepEqual([rest.hasMore, rest.nextSince], [false, all.at(-1)!.seq]);
});
