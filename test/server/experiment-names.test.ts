import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

test('an experiment is found by its name wherever an address takes its id', async (t) => {
  const { address, socketAddress } = await startService(t, { plays: true });
  const name = 'größer, and with 50 % dropout';
  const { id } = (
    await request(address)
      .post('/experiments')
      .send({ name, training: { epochs: 1 } })
  ).body;
  const path = `/experiments/${encodeURIComponent(name)}`;
  await new ProgressClient(`${socketAddress}${path}/progress`).closed;
  assert.equal((await request(address).get(path).expect(200)).body.id, id);
  assert.ok((await request(address).get(`${path}/metrics`).expect(200)).body.series.validLoss.length === 1);
  assert.equal((await request(address).get(`${path}/events`).expect(200)).body.items[0].experimentId, id);
  assert.equal((await request(address).patch(path).send({ notes: 'seen' }).expect(200)).body.id, id);
  await request(address).post(`${path}/pause`).expect(409);

  const later = (await request(address).post('/experiments').send({ name: id })).body;
  assert.notEqual(later.id, id);
  assert.equal((await request(address).get(`/experiments/${id}`)).body.id, id, 'an id comes before a name');
  const { body } = await request(address).get('/experiments/nobody').expect(404);
  assert.match(body.detail, /"nobody"/);
});
