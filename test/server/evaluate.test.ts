import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import request from 'supertest';
import { EvaluationResult } from '../../src/contracts/evaluation.js';
import { SampleQuality } from '../../src/contracts/sample-quality.js';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

const LINE = 'the cat sat on the mat\n';

/** A tiny model that is said to come from a corpus of lines that are all alike. @returns its experiment */
async function importTinyModel(t: TestContext, address: string): Promise<{ id: string }> {
  await request(address)
    .post('/corpora?name=cats&validFraction=0.2&testFraction=0.2')
    .type('text/plain')
    .send(LINE.repeat(50))
    .expect(201);
  const { body } = await request(address)
    .post('/experiments/import')
    .attach('model', Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!), 'model')
    .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
    .attach('config', Buffer.from('{"corpus":"cats"}'), 'config')
    .expect(201);
  return body;
}

describe('POST /experiments/:id/evaluate', () => {
  useBackend();

  test('measures a split or a text: plainly, with the cache, dynamically', async (t) => {
    const { address } = await startService(t, { executor: inProcess });
    const body = await importTinyModel(t, address);
    const post = (fields: object) => request(address).post(`/experiments/${body.id}/evaluate`).send(fields);
    const measure = async (fields: object) => EvaluationResult.parse((await post(fields).expect(200)).body);

    const plain = await measure({});
    const cached = await measure({ cache: { window: 50, theta: 0.5, lambda: 0.5 } });
    const dynamic = await measure({ dynamic: { rule: 'sgd', learningRate: 0.5 } });
    assert.equal(cached.tokens, plain.tokens);
    for (const { perplexity } of [cached, dynamic])
      assert.ok(perplexity! < plain.perplexity!, 'lines that repeat are easier for what adapts');
    assert.deepEqual(cached.cache, { window: 50, theta: 0.5, lambda: 0.5, search: false });
    assert.equal(dynamic.dynamic?.learningRate, 0.5);

    const searched = await measure({ split: 'valid', cache: { search: true } });
    assert.ok(searched.perplexity! < (await measure({ split: 'valid' })).perplexity!);
    const text = LINE.repeat(10);
    const [ofText, cachedText] = [await measure({ text }), await measure({ text, cache: {} })];
    assert.equal(cachedText.tokens, ofText.tokens);
    assert.ok(cachedText.perplexity! < ofText.perplexity!);
    assert.ok((await measure({ text, dynamic: {} })).dynamic?.rule === 'rms');

    const both = await measure({ cache: { lambda: 0.5 }, dynamic: { rule: 'sgd', learningRate: 0.5 } });
    assert.equal(both.cache?.lambda, 0.5);
    assert.equal(both.dynamic?.learningRate, 0.5);
    assert.ok(both.perplexity! < dynamic.perplexity!, 'the cache helps a model that learns, too');
    assert.equal((await post({ cache: { lambda: 1 } }).expect(400)).body.errors[0].path, 'cache.lambda');
    await post({ corpus: 'dogs', dynamic: {} }).expect(404);
    await post({ text, split: 'test' }).expect(400);
  });
});

describe('GET /experiments/:id/sample-quality', () => {
  useBackend();

  test('writes a sample at each temperature and holds it against the training text', async (t) => {
    const { address } = await startService(t, { executor: inProcess });
    const { id } = await importTinyModel(t, address);
    const get = (query: string) => request(address).get(`/experiments/${id}/sample-quality?${query}`);
    const measure = async (query: string) => SampleQuality.parse((await get(query).expect(200)).body);
    const quality = await measure('temperatures=0,1.5&tokens=60&seed=3');
    assert.deepEqual(
      quality.samples.map(({ temperature, tokens }) => [temperature, tokens]),
      [
        [0, 60],
        [1.5, 60],
      ],
    );
    assert.equal(quality.test.copiedShare, 1, 'every line of the test split is one of the training text');
    assert.ok(quality.test.distinct[3]! < 0.2, 'all lines are alike');
    const [greedy, free] = quality.samples;
    assert.ok(greedy!.distinct[3]! < free!.distinct[3]!);
    assert.deepEqual(await measure('temperatures=0,1.5&tokens=60&seed=3'), quality);
    assert.equal((await get('temperatures=hot').expect(400)).body.errors[0].path, 'temperatures.0');
    await request(address).get('/experiments/nothing/sample-quality').expect(404);
  });
});
