/** What comes of requests for text that are odd or wrong, with the real worker on a tiny model. */

import assert from 'node:assert/strict';
import { request as openRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import request from 'supertest';
import { useBackend } from '../support/backend.js';
import { cleanUp } from '../support/clean-up.js';
import { inProcess } from '../support/in-process-executor.js';
import { type ServiceOptions, startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

const POLL_MS = 20;

async function start(t: TestContext, options: ServiceOptions = {}) {
  const service = await startService(t, { executor: inProcess, ...options });
  await request(service.address)
    .post('/experiments/import')
    .attach('model', Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!), 'model')
    .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
    .field('name', 'tiny')
    .expect(201);
  return service;
}

describe('/generate', () => {
  useBackend();

  test('names what is wrong with each field, in the address and in the body', async (t) => {
    const { address } = await start(t);
    const wrong = {
      'temperature=NaN': 'temperature',
      'temperature=Infinity': 'temperature',
      'temperature=-1': 'temperature',
      'maxTokens=-5': 'maxTokens',
      'maxTokens=0': 'maxTokens',
      'maxTokens=1.5': 'maxTokens',
      'topK=-1': 'topK',
      'topP=0': 'topP',
      'minP=2': 'minP',
      'n=-1': 'n',
      'n=0': 'n',
      'beams=-1': 'beams',
      'repetitionPenalty=0': 'repetitionPenalty',
      'seed=-1': 'seed',
      'stop=': 'stop.0',
      'colour=red': 'colour',
    };
    for (const [query, field] of Object.entries(wrong)) {
      const { body } = await request(address).get(`/generate?${query}`).expect(400);
      assert.equal(body.code, 'validation-failed');
      assert.deepEqual(
        body.errors.map(({ path }: { path: string }) => path),
        [field],
        query,
      );
    }
    const { body } = await request(address)
      .post('/generate')
      .set('content-type', 'application/json')
      .send('{"temperature": null, "maxTokens": "5", "topK": -1, "prompt": 7}')
      .expect(400);
    assert.deepEqual(body.errors.map(({ path }: { path: string }) => path).sort(), [
      'maxTokens',
      'prompt',
      'temperature',
      'topK',
    ]);
    const notJson = await request(address)
      .post('/generate')
      .set('content-type', 'application/json')
      .send('{"temperature": NaN}')
      .expect(400);
    assert.equal(notJson.body.code, 'bad-request');
  });

  test('says which experiment there is not, and which has no weights yet', async (t) => {
    const { address } = await start(t);
    const unknown = await request(address).get('/generate?experiment=nowhere').expect(404);
    assert.match(unknown.body.detail, /nowhere/);
    const { body: queued } = await request(address).post('/experiments').send({}).expect(201);
    const untrained = await request(address).get(`/generate?experiment=${queued.id}`).expect(409);
    assert.equal(untrained.body.code, 'experiment-untrained');
    assert.match(untrained.body.detail, /has no weights yet/);
    const empty = await startService(t);
    assert.equal((await request(empty.address).get('/generate').expect(404)).body.code, 'no-experiment');
  });

  test('goes on from nothing, and tells the words that it does not know', async (t) => {
    const { address } = await start(t);
    const empty = await request(address).get('/generate?prompt=&maxTokens=4').expect(200);
    assert.equal(empty.body.tokens, 4);
    const strange = await request(address)
      .post('/generate')
      .send({ prompt: 'the zebra sat on the zebra, naïvely', maxTokens: 2 })
      .expect(200);
    assert.deepEqual(strange.body.unknownWords, ['zebra', 'zebra,', 'naïvely']);
    const surrogate = await request(address)
      .post('/generate')
      .set('content-type', 'application/json')
      .send('{"prompt":"the \\ud800 cat"}')
      .expect(400);
    assert.equal(surrogate.body.code, 'corpus-not-text');
    assert.match(surrogate.body.detail, /a lone surrogate at byte 4/);
  });

  test('reads a prompt of a megabyte where bodies may be so large, and else refuses it', async (t) => {
    const megabyte = `the cat sat ${'x'.repeat(487)} `.repeat(2000); // of few tokens: reading them is not what is tested
    const large = await start(t, { environment: { maxBodyBytes: 2 * 1024 * 1024 } });
    const { body } = await request(large.address)
      .post('/generate')
      .send({ prompt: megabyte, maxTokens: 1 })
      .expect(200);
    assert.equal(body.promptTokens, 8000);
    const longer = await request(large.address)
      .post('/generate')
      .send({ prompt: `${megabyte}the cat` });
    assert.equal(longer.status, 400);
    assert.equal(longer.body.errors[0].path, 'prompt');
    const small = await start(t, { environment: { maxBodyBytes: 1024 } });
    const refused = await request(small.address).post('/generate').send({ prompt: megabyte }).expect(413);
    assert.match(refused.body.detail, /larger than 1024 bytes/);
    await request(small.address)
      .get(`/generate?prompt=${'x'.repeat(20_000)}`)
      .expect(431);
  });

  test('refuses a body that is not UTF-8', async (t) => {
    const { address } = await start(t);
    const body = Buffer.concat([
      Buffer.from('{"prompt":"the '),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const answer = await new Promise<{ status: number; text: string }>((resolve) => {
      const sent = openRequest(new URL('/generate', address), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      sent.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      });
      sent.end(body);
    });
    assert.equal(answer.status, 400);
    assert.match(JSON.parse(answer.text).detail, /not UTF-8/);
  });

  test('gives up a client that asks for a stream and reads only how it begins', async (t) => {
    const { address } = await start(t, { environment: { maxStreamBufferBytes: 16_384 } });
    const { port } = new URL(address);
    const socket = connect(Number(port), '127.0.0.1');
    cleanUp(t, () => socket.destroy());
    // Probabilities, so that what the system keeps for a socket is soon full.
    const asked = JSON.stringify({
      model: 'tiny',
      prompt: 'the',
      n: 16,
      logprobs: 5,
      stream: true,
      max_tokens: 100_000,
    });
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${asked.length}\r\n\r\n${asked}`,
    );
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {}); // it is reset
    let received = '';
    const begins = new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        received += chunk;
        resolve();
      });
    });
    await begins;
    socket.pause();
    const openStreams = async () => {
      const { text } = await request(address).get('/metrics').expect(200);
      return Number(/^gatelm_streams (\d+)$/m.exec(text)![1]);
    };
    while ((await openStreams()) !== 0) await setTimeout(POLL_MS);
    socket.resume();
    await closed;
    assert.match(received, /^HTTP\/1\.1 200 OK/);
    assert.doesNotMatch(received, /\[DONE\]/, 'it was cut, not written to its end');
  });
});
