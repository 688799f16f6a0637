import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import request from 'supertest';
import WebSocket from 'ws';
import { Sweep, SweepEventPage, SweepSnapshot } from '../../src/contracts/sweep-view.js';
import { startService, type TestService } from '../support/service.js';

const BODY = {
  name: 'rates',
  base: { training: { epochs: 9 } },
  space: { 'optimizer.learningRate': { type: 'log-uniform', low: 0.01, high: 100 } },
  stopping: { type: 'asha' },
  limits: { experiments: 6, parallel: 2 },
};
interface Message {
  readonly type: string;
  readonly seq: number;
}

const start = (t: Parameters<typeof startService>[0]) =>
  startService(t, { slots: 2, plays: ({ optimizer }, epoch) => 4 + optimizer.learningRate / epoch });

/** All messages of the socket until it is closed. */
async function follow({ socketAddress }: TestService, sweep: string, since = 0) {
  const socket = new WebSocket(`${socketAddress}/sweeps/${sweep}/progress?since=${since}`);
  const messages: Message[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const [code, reason] = await once(socket, 'close');
  return { messages, code, reason: String(reason) };
}

test('the socket of a sweep brings a snapshot, then each event once, and closes after the last', async (t) => {
  const service = await start(t);
  const { id } = Sweep.parse((await request(service.address).post('/sweeps').send(BODY).expect(201)).body);
  const { messages, code, reason } = await follow(service, 'rates');
  assert.deepEqual([code, reason], [1000, 'finished']);
  const [first, ...events] = messages;
  assert.equal(SweepSnapshot.parse(first).sweep.id, id);
  const { body } = await request(service.address).get(`/sweeps/${id}/events`).expect(200);
  assert.deepEqual(events, SweepEventPage.parse(body).items);
  const types = new Set<string>(events.map(({ type }) => type));
  for (const type of ['started', 'trial', 'rung', 'promoted', 'best', 'finished'])
    assert.ok(types.has(type), type);

  const late = await follow(service, id, events.length - 2);
  assert.deepEqual(late.messages.slice(1), events.slice(-2), 'goes on after the number that is known');
});

test('a sweep that is extended after its end goes on for those who follow then', async (t) => {
  const service = await start(t);
  const { id } = (await request(service.address).post('/sweeps').send(BODY).expect(201)).body;
  const before = await follow(service, id);
  await request(service.address).post(`/sweeps/${id}/extend`).send({ experiments: 2 }).expect(200);
  const { messages, reason } = await follow(service, id, before.messages.at(-1)!.seq);
  assert.equal(reason, 'finished');
  assert.equal(messages[1]!.type, 'extended');
  assert.equal(messages.filter(({ type }) => type === 'trial').length, 2);
});

test('the events of a sweep come as Server-Sent Events, too, and end with 204', async (t) => {
  const { address } = await start(t);
  const { id } = (await request(address).post('/sweeps').send(BODY).expect(201)).body;
  const stream = () => request(address).get(`/sweeps/${id}/events`).set('accept', 'text/event-stream');
  const { text } = await stream().expect(200);
  const { seq } = (await request(address).get(`/sweeps/${id}`)).body as Sweep;
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    ids,
    Array.from({ length: seq }, (_, index) => index + 1),
  );
  await stream().set('last-event-id', String(seq)).expect(204);
});

test('the socket of a sweep that is not there is refused before it opens', async (t) => {
  const { socketAddress, address } = await start(t);
  const socket = new WebSocket(`${socketAddress}/sweeps/nothing/progress`);
  const [error] = await once(socket, 'error');
  assert.match(String(error), /404/);
  await request(address).get('/sweeps/nothing/progress').expect(404);
});
