/** Clients that leave, send too much, or speak nearly HTTP: each gets an answer that says what to do, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import request from 'supertest';
import { startService, type TestService } from '../support/service.js';

const TEXT = 'the cat sat on the mat\n'.repeat(100);

function open({ address }: TestService) {
  const { port } = new URL(address);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

/** What the server answers to these bytes. */
async function answerTo(service: TestService, bytes: string | Uint8Array): Promise<string> {
  const socket = open(service);
  socket.write(bytes);
  return text(socket);
}

const stagedFiles = ({ dataDir }: TestService) => {
  const folder = join(dataDir, 'corpora');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('.')) : [];
};

for (const [what, head] of [
  ['its first packet', '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\n'],
  ['a field half sent', '--x\r\nContent-Disposition: form-data; name="na'],
  ['nothing but its head', ''],
] as const)
  test(`an upload whose client leaves with ${what} ends, leaves nothing and is no error`, async (t) => {
    const errors: unknown[] = [];
    let note = () => {};
    const left = new Promise<void>((resolve) => {
      note = resolve;
    });
    const service = await startService(t, {
      onLogLine(line) {
        if (line.msg === 'the client disconnected') note();
        if (Number(line.level) > 40) errors.push(line);
      },
    });
    const socket = open(service);
    socket.write(
      `POST /corpora HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n${head}`,
    );
    socket.end();
    await left;
    await once(socket.resume(), 'close');
    assert.deepEqual(stagedFiles(service), []);
    assert.deepEqual(errors, []);
  });

test('a body that is larger than the limit gets its 413, though the client sends all of it first', async (t) => {
  const service = await startService(t);
  const body = JSON.stringify({ notes: 'x'.repeat(12_000_000) });
  for (let count = 0; count < 5; count++) {
    const answer = await fetch(`${service.address}/experiments`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 413);
    assert.equal(((await answer.json()) as { code: string }).code, 'body-too-large');
  }
});

test('a text that is larger than the limit gets its 413 while it is sent', async (t) => {
  const service = await startService(t, { environment: { maxUploadBytes: 10_000 } });
  const answer = await fetch(`${service.address}/corpora?name=long`, {
    method: 'POST',
    body: TEXT.repeat(1000),
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(answer.status, 413);
  assert.deepEqual(stagedFiles(service), []);
});

test('compressed bodies are read, within the limits of what they unpack to; other encodings are named', async (t) => {
  const service = await startService(t, { environment: { maxUploadBytes: 1_000_000 } });
  const post = (path: string, body: Uint8Array, headers: Record<string, string>) =>
    fetch(service.address + path, { method: 'POST', body: Buffer.from(body), headers });
  const json = { 'content-type': 'application/json' };
  const plain = { 'content-type': 'text/plain' };
  const made = await post('/experiments', gzipSync('{"name":"packed"}'), {
    ...json,
    'content-encoding': 'gzip',
  });
  assert.equal(made.status, 201);
  assert.equal(((await made.json()) as { name: string }).name, 'packed');
  const corpus = await post('/corpora?name=packed', brotliCompressSync(TEXT), {
    ...plain,
    'content-encoding': 'br',
  });
  assert.equal(corpus.status, 201, await corpus.text());

  const statusAndCode = async (path: string, body: Uint8Array, headers: Record<string, string>) => {
    const answer = await post(path, body, headers);
    return [answer.status, ((await answer.json()) as { code: string }).code];
  };
  const bomb = gzipSync(Buffer.alloc(50_000_000, 'a '));
  const gzip = { 'content-encoding': 'gzip' };
  assert.deepEqual(await statusAndCode('/experiments', bomb, { ...json, ...gzip }), [413, 'body-too-large']);
  assert.deepEqual(await statusAndCode('/corpora?name=bomb', bomb, { ...plain, ...gzip }), [
    413,
    'body-too-large',
  ]);
  assert.deepEqual(await statusAndCode('/experiments', Buffer.from('{}'), { ...json, ...gzip }), [
    400,
    'bad-request',
  ]);
  assert.deepEqual(
    await statusAndCode('/experiments', gzipSync(TEXT).subarray(0, 30), { ...json, ...gzip }),
    [400, 'bad-request'],
  );
  for (const encoding of ['zstd', 'gzip, gzip', 'aws-chunked'])
    assert.deepEqual(
      await statusAndCode('/experiments', Buffer.from('{}'), { ...json, 'content-encoding': encoding }),
      [415, 'unsupported-encoding'],
    );
  const form = { 'content-type': 'multipart/form-data; boundary=x', ...gzip };
  assert.deepEqual(await statusAndCode('/corpora', gzipSync('--x--'), form), [415, 'unsupported-encoding']);
  assert.deepEqual(stagedFiles(service), []);
});

test('a body that cannot be unpacked harms nobody where its request was refused before it', async (t) => {
  const { address } = await startService(t);
  for (const encoding of ['gzip', 'deflate', 'br'])
    for (const path of [
      '/corpora?validFraction=9',
      '/score/stream?tokens=maybe',
      '/experiments/none/fork',
      '/no',
    ])
      for (const body of ['', 'no code', gzipSync(TEXT).subarray(0, 30)]) {
        const answer = await fetch(address + path, {
          method: 'POST',
          body,
          headers: { 'content-type': 'text/plain', 'content-encoding': encoding },
        });
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} ${answer.status}`);
        await answer.text();
      }
  assert.equal((await fetch(`${address}/healthz`)).status, 200);
});

test('JSON may begin with a byte-order mark', async (t) => {
  const { address } = await startService(t);
  const { body } = await request(address)
    .post('/experiments')
    .type('application/json')
    .send('\ufeff{"name":"marked"}')
    .expect(201);
  assert.equal(body.name, 'marked');
});

test('an address that is not encoded, or a TLS handshake, is told what to do', async (t) => {
  const service = await startService(t);
  const raw = await answerTo(service, 'GET /generate?prompt=変数 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  assert.match(raw, /^HTTP\/1\.1 400 [\s\S]*percent-encoded[\s\S]*--data-urlencode/);
  const tls = await answerTo(service, Buffer.from('16030100c8010000c40303', 'hex'));
  assert.match(tls, /plain HTTP; use http:/);
});

test('a query that is not UTF-8 in percent-encoding is refused, also where it would be read as text', async (t) => {
  const { address } = await startService(t);
  for (const query of [
    'prompt=%ff',
    'prompt=100%',
    'prompt=%zz',
    'prompt=%ed%a0%80',
    '%ff=1',
    'prompt=%C3%28',
  ]) {
    const { body } = await request(address).get(`/generate?${query}`).expect(400);
    assert.match(body.detail, /percent-encoding/, query);
  }
  await request(address).get('/experiments?name=100%25+%C3%A9').expect(200);
});

test('what OpenAI’s clients ask for and is not here says which route to use', async (t) => {
  const { address } = await startService(t);
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    const { body } = await request(address).post(path).send({ model: 'm', messages: [] }).expect(404);
    assert.match(body.error.message, /no chat; use POST \/v1\/completions/);
  }
  const { body } = await request(address).post('/completions').send({}).expect(404);
  assert.match(body.detail, /base URL of a client ends with \/v1/);
});

test('a page of events from beyond the last one goes on from the last one', async (t) => {
  const { address } = await startService(t);
  const { body: made } = await request(address).post('/experiments').send({}).expect(201);
  const { body } = await request(address).get(`/experiments/${made.id}/events?since=99999`).expect(200);
  const { body: now } = await request(address).get(`/experiments/${made.id}`).expect(200);
  assert.deepEqual(body, { items: [], nextSince: now.seq, hasMore: false });
});

test('the OpenAI client in a page of an allowed origin may send its headers', async (t) => {
  const origin = 'https://friend.example';
  const { address } = await startService(t, { environment: { allowedOrigins: [origin] } });
  const headers = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-stainless-runtime';
  const preflight = await request(address)
    .options('/v1/completions')
    .set('origin', origin)
    .set('access-control-request-method', 'POST')
    .set('access-control-request-headers', headers)
    .expect(204);
  assert.equal(preflight.headers['access-control-allow-headers'], headers);
  const stranger = await request(address)
    .options('/v1/completions')
    .set('origin', 'https://evil.example')
    .set('access-control-request-method', 'POST');
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
  const answer = await request(address).post('/experiments').set('origin', origin).send({}).expect(201);
  assert.match(answer.headers['access-control-expose-headers']!, /location/);
});

test('* allows every site where keys are asked for, and is refused at the start where none is', async (t) => {
  const key = 'a-key-for-a-test';
  const { address } = await startService(t, { environment: { allowedOrigins: ['*'], apiKeys: [key] } });
  const { headers } = await request(address)
    .get('/experiments')
    .set('origin', 'https://any.example')
    .set('authorization', `Bearer ${key}`)
    .expect(200);
  assert.equal(headers['access-control-allow-origin'], 'https://any.example');
  await assert.rejects(startService(t, { environment: { allowedOrigins: ['*'] } }), {
    code: 'unsafe-origins',
  });
});
