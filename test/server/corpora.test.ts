import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import request from 'supertest';
import { startService } from '../support/service.js';

const TEXT = 'the cat sat on the mat and looked at the dog\n'.repeat(200);

test('a text is uploaded, described, previewed, used and deleted when nobody uses it', async (t) => {
  const { address, training } = await startService(t);
  const { body } = await request(address)
    .post('/corpora')
    .field('name', 'cats')
    .field('validFraction', '0.1')
    .attach('file', Buffer.from(TEXT), 'cats.txt')
    .expect(201);
  assert.equal(body.kind, 'uploaded');
  assert.equal(body.bytes, TEXT.length);
  assert.ok(body.statistics.valid.tokens > body.statistics.test.tokens);
  const preview = await request(address).get('/corpora/cats/preview?characters=11').expect(200);
  assert.deepEqual([preview.body.text, preview.body.truncated], ['the cat sat', true]);
  const taken = await request(address).post('/corpora?name=cats').type('text/plain').send(TEXT).expect(409);
  assert.equal(taken.body.code, 'corpus-exists');

  const { body: experiment } = await request(address)
    .post('/experiments')
    .send({ corpus: 'cats' })
    .expect(201);
  assert.equal((await request(address).delete('/corpora/cats').expect(409)).body.code, 'corpus-in-use');
  const run = await training.run(0);
  run.onStop((mode) => run.finish({ type: 'stopped', mode }));
  await request(address).post(`/experiments/${experiment.id}/cancel`).expect(200);
  await run.outcome;
  await request(address).delete('/corpora/cats').expect(204);
  await request(address).get('/corpora/cats').expect(404);
  const gone = await request(address).post('/experiments').send({ corpus: 'cats' }).expect(404);
  assert.equal(gone.body.code, 'corpus-not-found');
  assert.match(gone.body.detail, /known: handbook, ptb/);
});

test('tokens are counted by any tokenizer before a training', async (t) => {
  const { address } = await startService(t);
  await request(address).post('/corpora?name=cats').type('text/plain').send(TEXT).expect(201);
  const count = (body: object) => request(address).post('/corpora/cats/tokens').send(body);
  const { body: characters } = await count({ tokenizer: { type: 'character' } }).expect(200);
  const total = characters.tokens.train + characters.tokens.valid + characters.tokens.test;
  assert.deepEqual([characters.isExact, total], [true, TEXT.length]);
  assert.equal(characters.vocabularySize, new Set(TEXT).size + 1, 'and <unk>');
  const { body: pairs } = await count({ tokenizer: { type: 'byte-pair', vocabularySize: 300 } }).expect(200);
  assert.ok(pairs.tokens.train < characters.tokens.train / 3);
  const { body: wrong } = await count({ tokenizer: { type: 'byte-pair', vocabularySize: 9 } }).expect(400);
  assert.match(wrong.detail, /tokenizer/);
  await request(address)
    .post('/corpora/dogs/tokens')
    .send({ tokenizer: { type: 'word' } })
    .expect(404);
});

test('three files become the three splits', async (t) => {
  const { address } = await startService(t);
  const { body } = await request(address)
    .post('/corpora')
    .attach('train', Buffer.from(TEXT), 'a')
    .attach('valid', Buffer.from('one two\nthree four\n'), 'b')
    .attach('test', Buffer.from('five six\nseven eight\n'), 'c')
    .field('name', 'three')
    .field('tokenized', 'true')
    .expect(201);
  assert.equal(body.statistics.valid.tokens, 6);
});

test('an upload that is wrong is refused with its reason, and leaves nothing behind', async (t) => {
  const { address, dataDir } = await startService(t, { environment: { maxUploadBytes: 10_000 } });
  const post = () => request(address).post('/corpora');
  const codes = {
    binary: await post()
      .field('name', 'a')
      .attach('file', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x00, 0x01]), 'a')
      .expect(400),
    tooBig: await post().field('name', 'a').attach('file', Buffer.alloc(20_000, 'a b\n'), 'a').expect(413),
    tooShort: await post().field('name', 'a').attach('file', Buffer.from('a'), 'a').expect(400),
    noName: await post().attach('file', Buffer.from(TEXT), 'a').expect(400),
    traversal: await post().field('name', '../../etc').attach('file', Buffer.from(TEXT), 'a').expect(400),
    unknownFile: await post().field('name', 'a').attach('trian', Buffer.from(TEXT), 'a').expect(400),
    noFile: await post().field('name', 'a').expect(400),
    json: await post().send({ name: 'a', text: TEXT }).expect(415),
    noBoundary: await post().set('content-type', 'multipart/form-data').send('x').expect(400),
    noForm: await post().set('content-type', 'multipart/form-data; boundary=x').send('x').expect(400),
    cutOff: await post()
      .set('content-type', 'multipart/form-data; boundary=x')
      .send('--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nthe cat')
      .expect(400),
    reserved: await post().field('name', 'ptb').attach('file', Buffer.from(TEXT), 'a').expect(409),
  };
  const seen = Object.fromEntries(Object.entries(codes).map(([name, { body }]) => [name, body.code]));
  assert.deepEqual(seen, {
    binary: 'corpus-not-text',
    tooBig: 'body-too-large',
    tooShort: 'corpus-too-short',
    noName: 'validation-failed',
    traversal: 'validation-failed',
    unknownFile: 'bad-request',
    noFile: 'bad-request',
    json: 'unsupported-media-type',
    noBoundary: 'bad-request',
    noForm: 'bad-request',
    cutOff: 'bad-request',
    reserved: 'corpus-exists',
  });
  assert.deepEqual(readdirSync(join(dataDir, 'corpora')), []);
  const { body } = await request(address).get('/corpora').expect(200);
  assert.equal(body.items.length, 4);
});

test('corpora that come with gatelm cannot be deleted', async (t) => {
  const { address } = await startService(t);
  await request(address).delete('/corpora/ptb').expect(400);
  await request(address).delete('/corpora/nothing').expect(404);
  await request(address).get('/corpora/..%2F..%2Fetc').expect(400);
});

test('what a corpus is not enough for is said when an experiment asks for it', async (t) => {
  const { address } = await startService(t);
  await request(address).post('/corpora?name=日本語').type('text/plain').send(TEXT).expect(201);
  const post = (body: object, query = '') =>
    request(address)
      .post(`/experiments${query}`)
      .send({ preset: 'rnnlm', corpus: '日本語', ...body });
  const training = { batchSize: 512, bpttLength: 256 };
  for (const query of ['', '?dryRun=true']) {
    const { body } = await post({ training }, query).expect(400);
    assert.equal(body.code, 'corpus-too-short');
    assert.match(body.detail, /batchSize \d+ with bpttLength \d+ would fit/);
  }
  const { body: made } = await post({ training: { batchSize: 8, bpttLength: 16 } }).expect(201);
  assert.deepEqual(made.warnings, []);
  const { body: few } = await post({ training: { batchSize: 20, bpttLength: 35 } }).expect(201);
  assert.match(few.warnings[0], /An epoch has \d steps/);
});

test('several files, with names in any script, become one corpus', async (t) => {
  const { address } = await startService(t);
  const { body } = await request(address)
    .post('/corpora')
    .field('name', 'Ελληνικά')
    .attach('file', Buffer.from(TEXT), 'a.txt')
    .attach('file', Buffer.from(TEXT), 'β.txt')
    .expect(201);
  assert.deepEqual([body.documents, body.splitBy, body.bytes], [2, 'blocks', 2 * TEXT.length]);
  assert.equal(body.duplicates.valid, 1, 'every line stands in train too');
  await request(address)
    .get(`/corpora/${encodeURIComponent('Ελληνικά'.normalize('NFD'))}`)
    .expect(200);
});
