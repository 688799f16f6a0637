import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { Comparison } from '../../src/contracts/comparison.js';
import { startService, type TestService } from '../support/service.js';

const PLAYS = { plays: true } as const;

/** Trains an experiment to its end. @returns its id */
async function train({ address }: TestService, body: object): Promise<string> {
  const { id } = (await request(address).post('/experiments').send(body).expect(201)).body;
  for (;;) {
    const { state } = (await request(address).get(`/experiments/${id}`)).body;
    if (state === 'succeeded') return id;
  }
}

const bodyOf = (name: string, learningRate: number, more: object = {}) => ({
  name,
  model: { embeddingSize: 8, hiddenSizes: [8] },
  optimizer: { type: 'sgd', learningRate },
  training: { epochs: 2 },
  ...more,
});

test('experiments stand side by side, by id or name: where their configs differ, and what they came to', async (t) => {
  const service = await startService(t, { plays: ({ optimizer }, epoch) => optimizer.learningRate / epoch });
  const slow = await train(service, bodyOf('slow', 1));
  const fast = await train(service, bodyOf('fast', 4, { model: { embeddingSize: 8, hiddenSizes: [16] } }));
  const { body } = await request(service.address).get(`/compare?ids=fast,${slow},${fast}`).expect(200);
  const { items, differences, results } = Comparison.parse(body);
  assert.deepEqual(
    items.map(({ id }) => id),
    [fast, slow],
  );
  assert.deepEqual(differences, [
    { path: 'model.hiddenSizes', values: [[16], [8]] },
    { path: 'optimizer.learningRate', values: [4, 1] },
  ]);
  const perplexity = results.find(({ key }) => key === 'bestValidPerplexity')!;
  assert.deepEqual(perplexity.values, [Math.exp(2), Math.exp(0.5)]);
  assert.equal(perplexity.best, slow);
  assert.equal(results.find(({ key }) => key === 'bestEpoch')!.best, null);

  const { text, headers } = await request(service.address)
    .get('/compare?ids=slow,fast&format=csv')
    .expect(200);
  assert.match(headers['content-type']!, /^text\/csv/);
  const [head, ...rows] = text.trimEnd().split('\n');
  assert.match(head!, /,tags,model\.hiddenSizes,optimizer\.learningRate,epochs,bestEpoch,/);
  assert.equal(rows.length, 2);
  assert.match(rows[0]!, new RegExp(`^${slow},slow,succeeded,.*,\\[8\\],1,2,2,${Math.exp(0.5)},`));
});

test('perplexities over different tokens name no best one', async (t) => {
  const service = await startService(t, PLAYS);
  const words = await train(service, bodyOf('words', 1));
  const letters = await train(service, bodyOf('letters', 1, { tokenizer: { type: 'character' } }));
  const { body } = await request(service.address).get(`/compare?ids=${words},${letters}`).expect(200);
  const best = new Map(Comparison.parse(body).results.map((result) => [result.key, result.best]));
  assert.equal(best.get('bestValidPerplexity'), null);
  assert.notEqual(best.get('bestValidBitsPerByte'), null);
});

test('one that is not there is named, and so is what is too much', async (t) => {
  const { address } = await startService(t);
  assert.match((await request(address).get('/compare?ids=nobody').expect(404)).body.detail, /nobody/);
  await request(address).get('/compare').expect(400);
  const many = Array.from({ length: 65 }, (_, index) => index).join(',');
  await request(address).get(`/compare?ids=${many}`).expect(400);
});

test('the list of experiments comes as CSV, page by page, with every setting', async (t) => {
  const service = await startService(t, PLAYS);
  for (const [name, rate] of [
    ['a, "b"', 1],
    ['c', 2],
    ['d', 3],
  ] as const)
    await train(service, bodyOf(name, rate, { tags: ['x', 'y'] }));
  const pages: string[][] = [];
  let next: string | undefined = '/experiments?format=csv&sort=created&limit=2&tag=x';
  while (next !== undefined) {
    const { text, headers }: request.Response = await request(service.address).get(next).expect(200);
    pages.push(text.trimEnd().split('\n'));
    next = /^<(.+)>; rel="next"$/.exec(headers.link ?? '')?.[1];
  }
  assert.deepEqual(
    pages.map(({ length }) => length),
    [3, 2],
  );
  const [head, first] = pages[0]!;
  assert.match(first!, /^\w+,"a, ""b""",succeeded,/);
  const columns = head!.split(',');
  for (const path of ['tags', 'corpus', 'tokenizer.type', 'optimizer.learningRate', 'training.seed'])
    assert.ok(columns.includes(path), path);
  const third = pages[1]![1]!.split(',');
  assert.equal(third[columns.indexOf('optimizer.learningRate')], '3');
  assert.equal(third[columns.indexOf('tags')], 'x y');
  const asked = await request(service.address).get('/experiments').set('accept', 'text/csv').expect(200);
  assert.equal(asked.text.trimEnd().split('\n').length, 4);
});
