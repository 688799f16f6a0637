import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import request from 'supertest';
import WebSocket from 'ws';
import { Problem } from '../../src/contracts/problem.js';
import {
  checkpointEvent,
  epochEvent,
  SUCCEEDED_EVENT,
  startedEvent,
  stepEvent,
} from '../support/fake-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, type TestService } from '../support/service.js';

async function post(service: TestService): Promise<string> {
  const { body } = await request(service.address).post('/experiments').send({}).expect(201);
  return body.id;
}

const progressOf = ({ socketAddress }: TestService, id: string, since = 0) =>
  `${socketAddress}/experiments/${id}/progress?since=${since}`;

async function refusalOf(socket: WebSocket): Promise<{ status: number; problem: Problem }> {
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  assert.match(String(response.headers['content-type']), /^application\/problem\+json/);
  return {
    status: response.statusCode!,
    problem: Problem.parse(JSON.parse(Buffer.concat(chunks).toString())),
  };
}

test('a client that comes back with the number of its last event misses nothing and gets nothing twice', async (t) => {
  const service = await startService(t);
  const id = await post(service);
  const run = await service.training.run(0);
  run.emit(startedEvent(), stepEvent(1), stepEvent(2));
  const first = new ProgressClient(progressOf(service, id));
  await first.until('step');
  first.socket.terminate();
  const seen = first.seqs.at(-1)!;
  run.emit(stepEvent(3), stepEvent(4), SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  const second = new ProgressClient(progressOf(service, id, seen));
  assert.equal((await second.closed).code, 1000);
  const all = [...first.seqs, ...second.seqs];
  assert.deepEqual(
    all,
    all.map((_, index) => index + 1),
  );
  assert.equal(all.length, 8);
});

test('the events are the same after the server was started again on the same folder', async (t) => {
  const before = await startService(t, { plays: true });
  const id = await post(before);
  const client = new ProgressClient(progressOf(before, id));
  await client.closed;
  await before.close();
  const after = await startService(t, { dataDir: before.dataDir });
  const again = new ProgressClient(progressOf(after, id));
  assert.deepEqual(await again.closed, { code: 1000, reason: 'succeeded' });
  assert.deepEqual(again.messages.slice(1), client.messages.slice(1));
  const { body } = await request(after.address).get('/experiments').expect(200);
  assert.deepEqual(
    body.items.map((item: { id: string; state: string }) => [item.id, item.state]),
    [[id, 'succeeded']],
  );
  await request(after.address).get(`/generate?experiment=${id}`).expect(200);
  const [task] = after.inference.tasks;
  assert.ok(task?.type === 'generate');
  assert.equal(task.model.digest, `digest-${body.items[0].config.training.epochs}`);
});

test('a rollback is stored and sent, and what was measured after its checkpoint is measured again', async (t) => {
  const service = await startService(t);
  const id = await post(service);
  const run = await service.training.run(0);
  const data = {
    step: 15,
    epoch: 2,
    reason: 'The loss was not finite',
    restored: { epoch: 1, step: 10 },
    learningRate: 10,
  };
  run.emit(startedEvent(), stepEvent(5), epochEvent(1), checkpointEvent(1), stepEvent(13));
  run.emit({ type: 'rollback', data }, stepEvent(12));
  const client = new ProgressClient(progressOf(service, id));
  await client.until('rollback');
  run.emit(epochEvent(2), SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  await client.closed;
  const { body: page } = await request(service.address).get(`/experiments/${id}/events`).expect(200);
  const told = page.items.filter(({ type }: { type: string }) => type === 'rollback');
  assert.deepEqual(
    told.map((event: { data: unknown }) => event.data),
    [data],
  );
  const { body } = await request(service.address).get(`/experiments/${id}/metrics`).expect(200);
  const steps = body.series.stepLoss.map(({ step }: { step: number }) => step);
  assert.deepEqual(steps, [5, 12]);
  const { body: experiment } = await request(service.address).get(`/experiments/${id}`).expect(200);
  assert.deepEqual([experiment.state, experiment.best.epoch], ['succeeded', 2]);
});

test('a quiet stream sends heartbeats', async (t) => {
  const service = await startService(t, { environment: { heartbeatMs: 100 } });
  const id = await post(service);
  const socket = new WebSocket(progressOf(service, id));
  const types: string[] = [];
  await new Promise<void>((beaten) => {
    socket.on('message', (data) => {
      types.push(JSON.parse(String(data)).type);
      if (types.filter((type) => type === 'heartbeat').length === 2) beaten();
    });
  });
  assert.equal(types[0], 'snapshot');
  socket.terminate();
});

test('a client that reads too slowly is closed with a reason, and the others are not held up', async (t) => {
  const service = await startService(t, { environment: { maxStreamBufferBytes: 150_000 } });
  const id = await post(service);
  const run = await service.training.run(0);
  run.emit(startedEvent());
  const quick = new ProgressClient(progressOf(service, id));
  await quick.until('started');
  const slow = new ProgressClient(progressOf(service, id));
  await slow.until('started');
  slow.socket.pause();
  const text = 'x'.repeat(100_000);
  const MOST = 2000; // the operating system buffers some megabytes between two sockets; how many differs
  for (let epoch = 1; epoch <= MOST && (await openStreams(service)) === 2; epoch++) {
    run.emit({ type: 'sample', data: { epoch, text } });
    await quick.untilSeq(3 + epoch); // behind queued, preparing, started
  }
  run.emit(SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
  assert.equal((await quick.closed).code, 1000);
  slow.socket.resume();
  const { code, reason } = await slow.closed;
  assert.equal(code, 1013);
  assert.match(reason, /^too slow; reconnect with since=\d+$/);
  const last = slow.seqs.at(-1)!;
  assert.ok(last < quick.seqs.at(-1)!, 'it was closed before the end');
  const back = new ProgressClient(progressOf(service, id, last));
  assert.equal((await back.closed).code, 1000);
  assert.deepEqual([...slow.seqs, ...back.seqs], quick.seqs);
});

async function openStreams({ app }: TestService): Promise<number> {
  const { body } = await app.inject('/metrics');
  return Number(/^gatelm_streams (\d+)$/m.exec(body)?.[1]);
}

test('a server that stops closes its streams with 1001', async (t) => {
  const service = await startService(t);
  const id = await post(service);
  const client = new ProgressClient(progressOf(service, id));
  await client.until('snapshot');
  await service.close();
  assert.deepEqual(await client.closed, { code: 1001, reason: 'the server is stopping' });
});

test('a stream ends when its experiment is deleted', async (t) => {
  const service = await startService(t);
  const first = await post(service);
  const second = await post(service);
  await service.training.run(0);
  const client = new ProgressClient(progressOf(service, second));
  await client.until('queued');
  await request(service.address).delete(`/experiments/${second}`).expect(204);
  assert.deepEqual(await client.closed, { code: 1000, reason: 'deleted' });
  const { body } = await request(service.address).delete(`/experiments/${first}`).expect(409);
  assert.equal(body.code, 'state-conflict');
});

test('a socket is refused before it opens: unknown experiment, wrong query, too many, another site', async (t) => {
  const service = await startService(t, { environment: { maxSubscribers: 1 } });
  const id = await post(service);
  const unknown = await refusalOf(new WebSocket(progressOf(service, 'nope')));
  assert.deepEqual([unknown.status, unknown.problem.code], [404, 'experiment-not-found']);
  const query = await refusalOf(new WebSocket(`${progressOf(service, id)}x`));
  assert.deepEqual([query.status, query.problem.code], [400, 'validation-failed']);
  const foreign = await refusalOf(new WebSocket(progressOf(service, id), { origin: 'https://evil.example' }));
  assert.deepEqual([foreign.status, foreign.problem.code], [403, 'cross-origin']);
  const route = await refusalOf(new WebSocket(`${service.socketAddress}/nope`));
  assert.deepEqual([route.status, route.problem.code], [404, 'route-not-found']);
  const own = new ProgressClient(progressOf(service, id), { origin: service.address });
  await own.until('snapshot');
  const full = await refusalOf(new WebSocket(progressOf(service, id)));
  assert.deepEqual([full.status, full.problem.code], [429, 'queue-full']);
});

test('frames that are none, and messages nobody asked for, end that socket alone', async (t) => {
  const service = await startService(t);
  const id = await post(service);
  const quiet = new ProgressClient(progressOf(service, id));
  await quiet.until('snapshot');
  const socket = await openRawSocket(service, id);
  socket.write(Buffer.from('ff00ff00ff00ff00', 'hex'));
  socket.resume();
  await once(socket, 'close');
  const talker = new ProgressClient(progressOf(service, id));
  await talker.until('snapshot');
  talker.socket.send('x'.repeat(100_000));
  assert.equal((await talker.closed).code, 1009);
  await request(service.address).get(`/experiments/${id}`).expect(200);
  assert.equal(quiet.socket.readyState, WebSocket.OPEN);
});

async function openRawSocket({ address }: TestService, id: string): Promise<Socket> {
  const { port } = new URL(address);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    `GET /experiments/${id}/progress HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

test('Server-Sent Events have the same events, go on after Last-Event-ID, and say when nothing comes any more', async (t) => {
  const service = await startService(t, { plays: true });
  const id = await post(service);
  await new ProgressClient(progressOf(service, id)).closed;
  const path = `/experiments/${id}/events`;
  const all = await readEventStream(`${service.address}${path}`);
  const { body } = await request(service.address).get(path).expect(200);
  assert.deepEqual(all, body.items);
  assert.equal(body.hasMore, false);
  assert.deepEqual(await readEventStream(`${service.address}${path}`, '5'), body.items.slice(5));
  const last = String(body.nextSince);
  await request(service.address)
    .get(path)
    .set('accept', 'text/event-stream')
    .set('last-event-id', last)
    .expect(204);
  const page = await request(service.address).get(`${path}?since=2&limit=3`).expect(200);
  assert.deepEqual(page.body.items, body.items.slice(2, 5));
  assert.deepEqual([page.body.nextSince, page.body.hasMore], [5, true]);
});

/** The events of a stream that ends, without the snapshot. */
async function readEventStream(url: string, lastEventId?: string): Promise<unknown[]> {
  const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
  const response = await new Promise<IncomingMessage>((answered) => {
    httpRequest(url, { headers }, answered).end();
  });
  assert.equal(response.headers['content-type'], 'text/event-stream');
  let text = '';
  for await (const chunk of response) text += chunk;
  const messages = text.split('\n\n').filter((message) => message.startsWith('id: '));
  return messages.map((message) => JSON.parse(/^data: (.*)$/m.exec(message)![1]!));
}
