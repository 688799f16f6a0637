import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import request from 'supertest';
import { ExperimentInput } from '../../src/contracts/experiment-config.js';
import { Problem } from '../../src/contracts/problem.js';
import { resolveExperiment } from '../../src/experiments/resolve-experiment.js';
import { startService } from '../support/service.js';

const SEED = 20260101;
const RUNS = 200;
const HUGE_BYTES = 10 * 1024 * 1024;

const strangeKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'type',
  'learningrate',
  '',
  '\u0000',
);
const strangeValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(1e308, -1e308, 2 ** 60, -0, 1e-320, 2 ** 53, '', 'NaN', '../../etc/passwd', '\u0000'),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const knownKey = fc.constantFrom(...Object.keys(ExperimentInput.shape));
const section = fc.dictionary(
  fc.oneof(
    strangeKey,
    fc.constantFrom(
      'type',
      'epochs',
      'batchSize',
      'hiddenSizes',
      'dropout',
      'learningRate',
      'vocabularySize',
      'seed',
    ),
  ),
  strangeValue,
  { maxKeys: 5 },
);
/** Bodies that look like experiments, with anything anywhere. */
const hostileBody = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.dictionary(fc.oneof(knownKey, strangeKey), fc.oneof(strangeValue, section), { maxKeys: 6 }),
  },
  { weight: 2, arbitrary: strangeValue },
  {
    weight: 1,
    arbitrary: fc.record({ preset: fc.constantFrom('rnnlm', 'starter'), tags: fc.array(fc.string()) }),
  },
);
/** The same as text, where JSON may say more than an object can: double keys, a true __proto__, deep nesting. */
const hostileText = fc.oneof(
  { weight: 8, arbitrary: hostileBody.map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: fc.string() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '{"__proto__":{"state":"succeeded"}}',
      '{"training":{"__proto__":{"epochs":1}}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"tags":["a"],"tags":["b"]}',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `${'{"model":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
      `{"tags":[${'"a",'.repeat(100_000)}"a"]}`,
      `{"training":{"epochs":${'9'.repeat(1000)}}}`,
      `{"${'k'.repeat(500_000)}":1}`,
      '\ufeff{}',
      'null',
    ),
  },
);

test(`${RUNS} random and hostile bodies: no 5xx, and nothing is stored but what was valid`, async (t) => {
  const { app, services } = await startService(t, { slots: 1 });
  const prototypeBefore = Object.getOwnPropertyNames(Object.prototype);
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(hostileText, async (payload) => {
      const before = countExperiments(services);
      const response = await app.inject({
        method: 'POST',
        url: '/experiments',
        headers: { 'content-type': 'application/json' },
        payload,
      });
      const stored = countExperiments(services) - before;
      if (response.statusCode === 201) {
        accepted += 1;
        assert.equal(stored, 1);
        const body: unknown = payload === '' ? undefined : JSON.parse(payload.replace(/^\ufeff/, ''));
        const {
          name: _,
          tags: __,
          notes: ___,
          priority: ____,
          ...config
        } = await resolveExperiment(services, body);
        assert.deepEqual(response.json().config, config);
      } else {
        assert.ok(
          response.statusCode >= 400 && response.statusCode < 500,
          `${response.statusCode} ${response.body}`,
        );
        assert.equal(stored, 0);
        Problem.parse(response.json());
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assert.ok(accepted > 0 && accepted < RUNS / 2, `${accepted} of ${RUNS} were valid`);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), prototypeBefore);
});

function countExperiments(services: Awaited<ReturnType<typeof startService>>['services']): number {
  let count = 0;
  for (const number of services.store.experiments.countByState().values()) count += number;
  return count;
}

test('a body of 10 MB is refused with 413, with its length told or not, and the next request is served', async (t) => {
  const { address } = await startService(t);
  const body = JSON.stringify({ notes: 'x'.repeat(HUGE_BYTES) });
  const told = await request(address).post('/experiments').type('json').send(body).expect(413);
  assert.equal(told.body.code, 'body-too-large');
  assert.equal(await postInChunks(`${address}/experiments`, body), 413);
  const { body: list } = await request(address).get('/experiments').expect(200);
  assert.deepEqual(list.items, []);
});

function postInChunks(url: string, body: string): Promise<number> {
  return new Promise((answered, failed) => {
    const outgoing = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
    outgoing.on('response', (response) => {
      response.resume();
      answered(response.statusCode!);
    });
    outgoing.on('error', failed);
    for (let start = 0; start < body.length; start += 65_536)
      outgoing.write(body.slice(start, start + 65_536));
    outgoing.end();
  });
}

test('what is hardly HTTP gets a problem too, and the next request is served', async (t) => {
  const { address } = await startService(t);
  const broken = {
    'GET /%ZZ HTTP/1.1\r\nHost: localhost\r\n\r\n': 400,
    'NONSENSE\r\n\r\n': 400,
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`]: 431,
    [`GET /corpora/${'a'.repeat(3000)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`]: 400,
    'POST /experiments HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n': 400,
    'PROPFIND /experiments HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n': 405,
  };
  for (const [text, status] of Object.entries(broken)) {
    const [head = '', body = ''] = (await sendRaw(address, text)).split('\r\n\r\n');
    assert.ok(head.startsWith(`HTTP/1.1 ${status} `), `${text.slice(0, 40)} → ${head.slice(0, 40)}`);
    assert.match(head, /content-type: application\/problem\+json/i);
    assert.equal(Problem.parse(JSON.parse(body)).status, status);
  }
  await request(address).get('/healthz').expect(200);
});

async function sendRaw(address: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (/\}$/.test(answer)) break; // a kept connection would wait for the next request
  }
  socket.destroy();
  return answer;
}

test('other kinds of bodies and broken JSON are told apart', async (t) => {
  const { address } = await startService(t);
  const post = () => request(address).post('/experiments');
  assert.equal((await post().type('text/plain').send('x').expect(415)).body.code, 'unsupported-media-type');
  assert.equal((await post().type('json').send('{"a":').expect(400)).body.code, 'bad-request');
  assert.equal((await post().type('json').send('').expect(400)).body.code, 'validation-failed');
  const put = await request(address).put('/experiments').expect(405);
  assert.equal(put.headers.allow, 'GET, HEAD, POST');
  assert.equal((await request(address).get('/nope').expect(404)).body.code, 'route-not-found');
});
