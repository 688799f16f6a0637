/** Scoring, ranking, searching and evaluating over HTTP, with the real worker on tiny models. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as openRequest } from 'node:http';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import request from 'supertest';
import { EvaluationResult } from '../../src/contracts/evaluation.js';
import { GenerationAnswer } from '../../src/contracts/generation.js';
import { RankResult, type ScoredToken, ScoreResult, ScoreSummary } from '../../src/contracts/score.js';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { type ServiceOptions, startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

const LINE = 'the cat sat on the mat\n';

async function start(t: TestContext, options: ServiceOptions = {}) {
  const service = await startService(t, { executor: inProcess, ...options });
  const { body } = await request(service.address)
    .post('/experiments/import')
    .attach('model', Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!), 'model')
    .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
    .field('name', 'tiny')
    .expect(201);
  const post = (path: string, fields: object, status = 200) =>
    request(service.address).post(path).send(fields).expect(status);
  return { ...service, id: body.id as string, post };
}

/** Sends a body chunk by chunk, and reads the answer line by line while it is sent. */
async function stream(address: string, path: string, chunks: Iterable<Uint8Array>) {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: Readable.toWeb(Readable.from(chunks)) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  const text = await response.text();
  const lines = text.split('\n').filter((line) => line !== '');
  return { status: response.status, type: response.headers.get('content-type'), lines, text };
}

function* inChunks(text: string, bytes: number): Generator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

describe('POST /score', () => {
  useBackend();

  test('answers many texts in their order, each as if alone', async (t) => {
    const { post } = await start(t);
    const texts = ['the cat', 'the dog sat', 'mat'];
    const { body } = await post('/score', { texts });
    assert.equal(body.items.length, 3);
    for (const [index, text] of texts.entries())
      assert.deepEqual(body.items[index], (await post('/score', { text })).body);
    for (const wrong of [{}, { text: 'a', texts }, { texts: [] }, { text: 'a', inspect: true, cache: {} }])
      assert.equal((await post('/score', wrong, 400)).body.code, 'validation-failed');
    assert.equal((await post('/score', { texts: ['the', ' '] }, 400)).body.code, 'corpus-too-short');
  });

  test('adapts to the text where it is asked to', async (t) => {
    const { post } = await start(t);
    const text = LINE.repeat(30);
    const plain = ScoreResult.parse((await post('/score', { text })).body);
    const cached = ScoreResult.parse((await post('/score', { text, cache: { lambda: 0.5 } })).body);
    const learned = ScoreResult.parse(
      (await post('/score', { text, dynamic: { rule: 'sgd', learningRate: 0.5 } })).body,
    );
    assert.equal(cached.cache?.lambda, 0.5);
    assert.equal(learned.dynamic?.learningRate, 0.5);
    for (const { perplexity, tokens } of [cached, learned]) {
      assert.ok(perplexity! < plain.perplexity!);
      assert.equal(tokens.length, plain.tokens.length);
    }
  });
});

describe('POST /score/stream', () => {
  useBackend();

  test('answers token by token what /score answers, whatever the chunks', async (t) => {
    const { address, post } = await start(t);
    const text = `é the ünknown cat ${LINE.repeat(40)}on the`;
    const whole = ScoreResult.parse((await post('/score', { text })).body);
    for (const bytes of [1, 7, 1000, 100_000]) {
      const { status, type, lines } = await stream(address, '/score/stream', inChunks(text, bytes));
      assert.equal(status, 200);
      assert.equal(type, 'application/x-ndjson; charset=utf-8');
      const tokens = lines.slice(0, -1).map((line) => JSON.parse(line) as ScoredToken);
      const summary = ScoreSummary.parse(JSON.parse(lines.at(-1)!));
      assert.deepEqual(tokens, whole.tokens);
      assert.equal(summary.perplexity, whole.perplexity);
      assert.equal(summary.bytes, Buffer.byteLength(text));
    }
    const { lines } = await stream(address, '/score/stream?tokens=false&cache=true', inChunks(text, 50));
    const cached = ScoreResult.parse((await post('/score', { text, cache: {} })).body);
    assert.equal(lines.length, 1);
    assert.equal(JSON.parse(lines[0]!).perplexity, cached.perplexity);
  });

  test('tells what is wrong with a text, before the first line as a problem, then as the last line', async (t) => {
    const { address } = await start(t);
    const bad = Buffer.concat([Buffer.from('the cat '), Buffer.from([0xff])]);
    const early = await stream(address, '/score/stream', [bad]);
    assert.equal(early.status, 400);
    assert.equal(JSON.parse(early.text).code, 'corpus-not-text');
    assert.match(JSON.parse(early.text).detail, /invalid byte at byte 8/);
    const late = await stream(address, '/score/stream', [Buffer.from(LINE.repeat(20_000)), bad]);
    assert.equal(late.status, 200);
    assert.equal(JSON.parse(late.lines.at(-1)!).error.code, 'corpus-not-text');
    assert.equal((await stream(address, '/score/stream', [Buffer.from('  ')])).status, 400);
    assert.equal((await stream(address, '/score/stream?experiment=none', [Buffer.from('the')])).status, 404);
    await request(address).post('/score/stream').set('content-type', 'text/plain').expect(400);
    await request(address).post('/score/stream').send({ text: 'the' }).expect(415);
  });

  test('gives a client up that sends no more, and one that leaves', async (t) => {
    const { address, post } = await start(t, { environment: { clientTimeoutMs: 200 } });
    const url = new URL('/score/stream', address);
    const open = openRequest(url, { method: 'POST', headers: { 'content-type': 'text/plain' } });
    open.write(LINE.repeat(100));
    const body = await new Promise<string>((resolve) => {
      open.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('close', () => resolve(text));
      });
    });
    assert.equal(JSON.parse(body.trim().split('\n').at(-1)!).error.code, 'deadline-exceeded');
    open.destroy();

    const leaving = openRequest(url, { method: 'POST', headers: { 'content-type': 'text/plain' } });
    leaving.on('error', () => {});
    leaving.write(LINE.repeat(100));
    await new Promise((resolve) => leaving.on('response', resolve));
    leaving.destroy();
    assert.ok((await post('/score', { text: LINE })).body.perplexity > 1, 'the thread is free again');
  });
});

describe('POST /rank', () => {
  useBackend();

  test('sorts alternatives by how likely they follow', async (t) => {
    const { post } = await start(t);
    const prompt = 'the cat sat on the ';
    const alternatives = ['mat', 'dog', 'cat sat', 'on'];
    const { items } = RankResult.parse((await post('/rank', { prompt, alternatives })).body);
    for (const { alternative, logprob, tokens } of items) {
      const { body } = await post('/score', { text: prompt + alternative });
      const own = (body as ScoreResult).tokens.slice(5);
      assert.equal(tokens, own.length);
      assert.ok(Math.abs(logprob + own.reduce((sum, { surprisal }) => sum + surprisal, 0)) < 1e-9);
    }
    assert.ok(items[0]!.logprob >= items[3]!.logprob);
    assert.match((await post('/rank', { alternatives: ['mat', ' '] }, 400)).body.detail, /alternatives\.1/);
    await post('/rank', { alternatives: [] }, 400);
  });
});

describe('/generate with beams', () => {
  useBackend();

  test('writes the likeliest texts, the best first, the same each time', async (t) => {
    const { address, post } = await start(t);
    const asked = { prompt: 'the', maxTokens: 6, beams: 8, n: 3 };
    const answer = GenerationAnswer.parse((await post('/generate', asked)).body);
    assert.equal(answer.choices!.length, 3);
    assert.equal(answer.text, answer.choices![0]!.text);
    const logprobs = answer.choices!.map(({ logprob }) => logprob!);
    assert.deepEqual(
      logprobs,
      logprobs.toSorted((a, b) => b - a),
    );
    for (const { text, logprob } of answer.choices!) {
      const { items } = (await post('/rank', { prompt: 'the', alternatives: [text] })).body as RankResult;
      assert.ok(Math.abs(items[0]!.logprob - logprob!) < 1e-5);
    }
    assert.deepEqual((await post('/generate', asked)).body, answer);
    const streamed = await request(address)
      .get('/generate?prompt=the&maxTokens=6&beams=8&n=3')
      .set('accept', 'text/event-stream')
      .expect(200);
    assert.equal(streamed.text.match(/^event: text$/gm)?.length, 3);
    assert.match((await post('/generate', { ...asked, n: 9 }, 400)).body.detail, /8 beams give at most 8/);
    await post('/generate', { ...asked, repetitionPenalty: 1.2 }, 400);
    await post('/generate', { ...asked, beams: 65 }, 400);
  });
});

describe('POST /experiments/:id/evaluate', () => {
  useBackend();

  test('tells how far it is, and ends when the client leaves', async (t) => {
    const { address, id, post } = await start(t);
    await request(address)
      .post('/corpora?name=cats&validFraction=0.1&testFraction=0.5')
      .type('text/plain')
      .send(LINE.repeat(1500))
      .expect(201);
    const asked = { corpus: 'cats', dynamic: { rule: 'sgd' } };
    const response = await fetch(`${address}/experiments/${id}/evaluate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(asked),
    });
    const events = (await response.text()).split('\n\n').filter(Boolean);
    const parsed = events.map((event) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      return { name, data: JSON.parse(data!) };
    });
    assert.equal(parsed.at(-1)!.name, 'done');
    const { perplexity, tokens } = EvaluationResult.parse(parsed.at(-1)!.data);
    const progress = parsed.slice(0, -1);
    assert.ok(progress.length > 0);
    let before = 0;
    for (const { name, data } of progress) {
      assert.equal(name, 'progress');
      assert.equal(data.phase, 'evaluation');
      assert.equal(data.totalTokens, tokens);
      assert.ok(data.tokens > before);
      before = data.tokens;
    }
    assert.equal((await post(`/experiments/${id}/evaluate`, asked)).body.perplexity, perplexity);

    const leaving = new AbortController();
    const left = fetch(`${address}/experiments/${id}/evaluate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ corpus: 'cats', split: 'train', dynamic: { rule: 'rms', segmentLength: 1 } }),
      signal: leaving.signal,
    });
    const { body } = await left;
    const reader = body!.getReader();
    await reader.read();
    leaving.abort();
    await assert.rejects(reader.read());
    assert.ok((await post('/generate', { prompt: 'the', maxTokens: 3 })).body.text);
  });

  test('says what /score says, and what PyTorch said of the same weights', async (t) => {
    const { address, post } = await start(t);
    const fixtures = new URL('../../../test/fixtures/', import.meta.url);
    const fixture = JSON.parse(readFileSync(new URL('pytorch-word-lm.json', fixtures), 'utf8')) as {
      batchSize: number;
      vocabularySize: number;
      ids: number[];
      models: Record<string, { losses: number[] }>;
    };
    const ofStream = (values: readonly number[]) => values.filter((_, at) => at % fixture.batchSize === 0);
    const words = ['<eos>', ...Array.from({ length: fixture.vocabularySize - 1 }, (_, id) => `w${id + 1}`)];
    words[words.length - 1] = '<unk>';
    const [first, ...ids] = ofStream(fixture.ids);
    assert.equal(first, 0, 'the stream begins after the end of a line');
    const text = ids.map((id) => (id === 0 ? '\n' : words[id])).join(' ');
    for (const [name, { losses }] of Object.entries(fixture.models)) {
      const { body } = await request(address)
        .post('/experiments/import')
        .attach('model', readFileSync(new URL(`pytorch-word-lm-${name}.safetensors`, fixtures)), 'model')
        .attach('vocabulary', Buffer.from(`${words.join('\n')}\n`), 'vocabulary')
        .expect(201);
      const expected = ofStream(losses);
      const scored = ScoreResult.parse((await post('/score', { experiment: body.id, text })).body);
      assert.equal(scored.tokens.length, expected.length);
      scored.tokens.forEach(({ surprisal }, index) => {
        assert.ok(Math.abs(surprisal - expected[index]!) < 1e-4, `${name}, token ${index}`);
      });
      const mean = expected.reduce((sum, loss) => sum + loss, 0) / expected.length;
      const evaluated = EvaluationResult.parse(
        (await post(`/experiments/${body.id}/evaluate`, { text })).body,
      );
      assert.ok(Math.abs(evaluated.loss - mean) < 1e-4);
      assert.ok(Math.abs(Math.log(scored.perplexity!) - mean) < 1e-4);
    }
  });
});
