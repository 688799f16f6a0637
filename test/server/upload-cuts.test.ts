/** Uploads whose connections close at any byte and in any order: no file stays, and no handler waits for ever. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { startService } from '../support/service.js';

const TEXT = 'the cat sat on the mat\n'.repeat(3);
const field = (name: string, value: string) =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (name: string) =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.txt"\r\n\r\n${TEXT}\r\n`;

function post(type: string, body: string, path = '/corpora'): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** No name, so that what comes whole is refused and leaves nothing either. */
const UPLOADS = [
  post('multipart/form-data; boundary=x', `${field('validFraction', '0.1')}${file('file')}--x--\r\n`),
  post(
    'multipart/form-data; boundary=x',
    `${file('train')}${file('valid')}${file('test')}${field('nam', 'é')}--x--\r\n`,
  ),
  post('text/plain', TEXT, '/corpora?name=whole&validFraction=2'),
  post('multipart/form-data; boundary=x', `${file('model')}--x--\r\n`, '/experiments/import'),
  `POST /corpora HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n1a\r\n${file('file').slice(0, 26)}\r\n0\r\n\r\n`,
].map((request) => Buffer.from(request));

const ENDINGS = ['end', 'destroy', 'reset', 'shut-then-destroy'] as const;
type Ending = (typeof ENDINGS)[number];

function leave(socket: Socket, how: Ending): void {
  switch (how) {
    case 'end':
      socket.end();
      break;
    case 'destroy':
      socket.destroy();
      break;
    case 'reset':
      socket.resetAndDestroy();
      break;
    case 'shut-then-destroy':
      socket.end(() => socket.destroy());
  }
}

/** A service, and the requests in its log that have begun and not ended. */
async function start(t: TestContext) {
  const open = new Set<string>();
  const errors: unknown[] = [];
  const service = await startService(t, {
    onLogLine: ({ msg, level, reqId, ...line }) => {
      if (msg === 'incoming request') open.add(String(reqId));
      else if (msg === 'request completed' || msg === 'the client left') open.delete(String(reqId));
      if (Number(level) >= 50) errors.push({ msg, ...line });
    },
  });
  const staged = (folder: string) => {
    const path = join(service.dataDir, folder);
    return existsSync(path) ? readdirSync(path).filter((name) => name.startsWith('.')) : [];
  };
  return { ...service, open, errors, staged: () => [...staged('corpora'), ...staged('experiments')] };
}

test('an upload that is cut at any byte, with others cut in any order, leaves no file and no handler', async (t) => {
  const service = await start(t);
  const port = Number(new URL(service.address).port);
  const upload = fc.record({
    bytes: fc.constantFrom(...UPLOADS),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    pause: fc.double({ min: 0, max: 1, noNaN: true }),
    ending: fc.constantFrom(...ENDINGS),
    order: fc.nat(),
  });
  let cuts = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(upload, { minLength: 1, maxLength: 6 }), async (uploads) => {
      const sockets = await Promise.all(
        uploads.map(async ({ bytes, cut, pause }) => {
          const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
          socket.on('error', () => {}).resume();
          await once(socket, 'connect');
          const sent = bytes.subarray(0, Math.round(cut * bytes.length));
          const first = Math.round(pause * sent.length);
          socket.write(sent.subarray(0, first));
          await nextTurn();
          await new Promise<void>((done) => socket.write(sent.subarray(first), () => done()));
          return socket;
        }),
      );
      const inOrder = [...sockets.keys()].sort((a, b) => uploads[a]!.order - uploads[b]!.order);
      for (const index of inOrder) {
        leave(sockets[index]!, uploads[index]!.ending);
        await nextTurn();
      }
      await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
      cuts += uploads.length;
      while ((await connections(service.app.server)) > 0 || service.open.size > 0) await nextTurn();
      while (service.staged().length > 0) await nextTurn();
    }),
    { numRuns: 150, seed: 5 },
  );
  assert.ok(cuts > 300, `${cuts} cuts`);
  assert.deepEqual(service.errors, []);
  assert.deepEqual([...service.open], []);
  assert.equal((await fetch(`${service.address}/healthz`)).status, 200);
});

function connections(server: {
  getConnections(done: (error: Error | null, count: number) => void): unknown;
}) {
  return new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
