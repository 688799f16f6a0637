import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { SUCCEEDED_EVENT, startedEvent, stepEvent } from '../support/fake-executor.js';
import { startService } from '../support/service.js';

const SUBSCRIBERS = 1000;
const STEPS = 20;

test(`${SUBSCRIBERS} subscribers get every event once, in order, and leave nothing behind`, async (t) => {
  const { app, socketAddress, training } = await startService(t);
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload: {} })).json();
  const run = await training.run(0);
  const clients = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, async () => {
      const socket = new WebSocket(`${socketAddress}/experiments/${id}/progress`);
      const seqs: number[] = [];
      socket.on('message', (data) => {
        const { type, seq } = JSON.parse(String(data)) as { type: string; seq: number };
        if (type !== 'snapshot') seqs.push(seq);
      });
      const closed = once(socket, 'close') as Promise<[number, Buffer]>;
      await once(socket, 'open');
      return { seqs, closed };
    }),
  );
  run.emit(
    startedEvent(),
    ...Array.from({ length: STEPS }, (_, step) => stepEvent(step + 1)),
    SUCCEEDED_EVENT,
  );
  run.finish({ type: 'succeeded' });
  const expected = Array.from({ length: STEPS + 4 }, (_, index) => index + 1); // queued, preparing, started, succeeded
  for (const { seqs, closed } of clients) {
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1000, 'succeeded']);
    assert.deepEqual(seqs, expected);
  }
  assert.match((await app.inject('/metrics')).body, /^gatelm_streams 0$/m);
});
