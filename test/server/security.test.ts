/** What hostile clients try: paths, packed bodies, prototypes, patterns that blow up, addresses of others. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { cleanUp } from '../support/clean-up.js';
import { startService } from '../support/service.js';

/** Far above what a linear pattern takes for a megabyte, far below what a quadratic one takes. */
const QUICK_MS = 2000;

test('no name leads out of its folder', async (t) => {
  const { app, address, dataDir } = await startService(t);
  const outside = [
    '../..',
    '../../etc/passwd',
    '..\\..\\windows',
    '/etc/passwd',
    '....//',
    'a/../../b',
    '\0',
  ];
  const encoded = outside.map((name) => encodeURIComponent(name).replaceAll('.', '%2e'));
  for (const path of encoded) {
    for (const url of [
      `/experiments/${path}`,
      `/experiments/${path}/metrics`,
      `/experiments/${path}/export`,
      `/corpora/${path}`,
      `/corpora/${path}/preview`,
      `/sessions/${path}`,
      `/docs/static/${path}`,
    ]) {
      const { statusCode, body } = await app.inject(url);
      assert.ok([400, 404, 405].includes(statusCode), `${url}: ${statusCode}`);
      assert.doesNotMatch(body, /root:|"dependencies"/);
    }
    const { statusCode } = await app.inject({ method: 'DELETE', url: `/corpora/${path}` });
    assert.ok([400, 404].includes(statusCode), `DELETE ${path}: ${statusCode}`);
  }
  for (const url of ['/docs/static/../../package.json', '/docs/../package.json', '//etc/passwd'])
    assert.notEqual((await app.inject(url)).statusCode, 200, url);
  const upload = (name: string) =>
    request(address)
      .post('/corpora')
      .field('name', name)
      .attach('file', Buffer.from('some text, not much of it\n'.repeat(50)), {
        filename: '../../../evil.txt',
      });
  await upload('../evil').expect(400);
  await upload('good').expect(201);
  assert.ok(!existsSync(join(dataDir, '..', 'evil.txt')));
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
  assert.ok(!files.some((file) => file.includes('evil')), 'a file is named by what it is, not by its client');
});

test('packed bodies are not unpacked, and too many or too large headers are refused', async (t) => {
  const { address } = await startService(t);
  const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
  for (const type of ['application/json', 'application/gzip', 'application/zip']) {
    const { status } = await request(address)
      .post('/experiments')
      .set({ 'content-type': type, 'content-encoding': 'gzip' })
      .send(bomb);
    assert.ok(status === 400 || status === 415, `${type}: ${status}`);
  }
  const large = await request(address).get('/experiments').set('x-large', 'x'.repeat(20_000));
  assert.equal(large.status, 431);
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`x-${index}`, 'y']));
  const { status } = await request(address).get('/experiments').set(many);
  assert.ok([400, 431, 200].includes(status), `${status}`);
  await request(address).get('/healthz').expect(200);
});

test('no body and no address reaches a prototype', async (t) => {
  const { app } = await startService(t);
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    for (const payload of [
      `{"${name}":{"polluted":true}}`,
      `{"model":{"${name}":{"polluted":true}}}`,
      `{"training":{"${name}":{"prototype":{"polluted":true}}}}`,
      `{"tags":[{"${name}":1}]}`,
    ]) {
      for (const url of ['/experiments', '/generate', '/score', '/rank', '/v1/completions', '/sessions']) {
        const headers = { 'content-type': 'application/json' };
        const { statusCode } = await app.inject({ method: 'POST', url, headers, payload });
        assert.equal(statusCode, 400, `${url} ${payload}`);
      }
    }
    const { statusCode } = await app.inject(`/experiments?${name}[polluted]=1&${name}=2`);
    assert.equal(statusCode, 400);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('long texts do not blow up a pattern', async (t) => {
  const { app } = await startService(t, { environment: { maxBodyBytes: 4_000_000 } });
  const long = [
    'a'.repeat(1_000_000),
    '-'.repeat(1_000_000),
    `${'a-'.repeat(500_000)}!`,
    `${' '.repeat(1_000_000)}x`,
    `${'a.'.repeat(500_000)}\u0301`,
    '\u0301'.repeat(500_000),
    `${'..../'.repeat(200_000)}`,
  ];
  for (const text of long) {
    for (const [url, payload] of [
      ['/experiments', { name: text, corpus: text, tags: [text] }],
      ['/experiments', { preset: text, [text.slice(0, 10_000)]: 1 }],
      ['/corpora', { name: text }],
      ['/score', { experiment: text, text }],
    ] as const) {
      const start = performance.now();
      const { statusCode } = await app.inject({ method: 'POST', url, payload });
      assert.ok(statusCode >= 400 && statusCode < 500, `${statusCode}`);
      assert.ok(performance.now() - start < QUICK_MS, `${url} ${text.slice(0, 10)}…`);
    }
    const headers = { accept: text.slice(0, 14_000), authorization: `Bearer ${text.slice(0, 14_000)}` };
    const start = performance.now();
    const query = `sort=${encodeURIComponent(text.slice(0, 3000))}&cursor=${encodeURIComponent(text.slice(0, 3000))}`;
    await app.inject({ url: `/experiments?${query}`, headers });
    assert.ok(performance.now() - start < QUICK_MS);
  }
});

test('no client can make the server fetch an address', async (t) => {
  let calls = 0;
  const canary = createServer((_request, response) => {
    calls += 1;
    response.end('x');
  }).listen(0, '127.0.0.1');
  await once(canary, 'listening');
  cleanUp(t, () => canary.close());
  const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/x`;
  const { address, app } = await startService(t);
  for (const corpus of [url, url.slice(5), `ptb@${url}`, `..${url}`, `file:///etc/passwd`])
    await request(address)
      .post('/experiments')
      .send({ corpus })
      .expect((answer) => {
        assert.ok(answer.status === 400 || answer.status === 404, `${corpus}: ${answer.status}`);
      });
  await request(address).post('/corpora').type('text/plain').query({ name: url }).send('text').expect(400);
  await app.inject(`/corpora/${encodeURIComponent(url)}`);
  await app.inject({
    url: `/generate?experiment=${encodeURIComponent(url)}`,
    headers: { host: 'localhost', referer: url },
  });
  await app.inject({ url, headers: { host: '127.0.0.1' } });
  assert.equal(calls, 0);
});
