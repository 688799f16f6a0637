/** Answers are kept exactly as long as nothing is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { AnswerCache } from '../../src/server/answer-cache.js';
import { openStore } from '../../src/store/store.js';

test('the same question is answered once until something is written, in whatever table', () => {
  const store = openStore(':memory:');
  const cache = new AnswerCache(store.changeCount);
  let made = 0;
  const ask = (key: string) =>
    cache.answer(key, () => {
      made += 1;
      return `${key} ${made}`;
    });
  assert.deepEqual([ask('a'), ask('b'), ask('a')], ['a 1', 'b 2', 'a 1']);

  const { name: _, tags: __, notes, priority, ...config } = resolveExperimentInput({});
  const { number } = store.experiments.insert({
    ...{ id: 'exp-1', name: 'one', tags: [], notes, priority, config },
    ...{ state: 'succeeded', parentId: null, createdAt: new Date().toISOString() },
  });
  assert.equal(ask('a'), 'a 3');
  store.metrics.setLatest(number, { validPerplexity: 5 });
  assert.equal(ask('a'), 'a 4');
  store.experiments.update(number, { name: 'another' });
  assert.equal(ask('a'), 'a 5');
  assert.equal(ask('a'), 'a 5');
  store.experiments.delete(number);
  assert.equal(ask('a'), 'a 6');
  store.close();
});
