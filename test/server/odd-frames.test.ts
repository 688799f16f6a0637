import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

/** GATELM_FUZZ_RUNS gives more than fits into a quick test. */
const RUNS = Number(process.env.GATELM_FUZZ_RUNS ?? 200);

/** RFC 6455, section 5.2, with bits and lengths that need not be true. */
const frame = fc
  .record({
    first: fc.nat({ max: 255 }),
    second: fc.nat({ max: 255 }),
    rest: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ first, second, rest }) => Buffer.concat([Buffer.from([first, second]), rest]));

test(`${RUNS} sockets with odd frames: each ends alone, and nothing of it stays`, async (t) => {
  const { app, address, socketAddress } = await startService(t, { environment: { rateLimit: 1_000_000 } });
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload: {} })).json();
  const quiet = new ProgressClient(`${socketAddress}/experiments/${id}/progress`);
  await quiet.until('snapshot');
  const upgrade =
    `GET /experiments/${id}/progress HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 4 }), async (frames) => {
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(upgrade);
      await once(socket, 'data');
      socket.resume();
      const closed = once(socket, 'close');
      for (const bytes of frames) socket.write(bytes);
      socket.end();
      await closed;
    }),
    { seed: 7, numRuns: RUNS },
  );
  assert.match((await app.inject('/metrics')).body, /^gatelm_streams 1$/m);
  assert.equal(quiet.socket.readyState, quiet.socket.OPEN);
  quiet.socket.terminate();
});
