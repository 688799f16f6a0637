import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepEvent } from '../support/fake-executor.js';
import { insertExperiment, temporaryStore } from '../support/store.js';

const NOW = '2026-01-01T00:00:00.000Z';

test('events are numbered 1, 2, 3 within their experiment', (t) => {
  const store = temporaryStore(t);
  const [one, two] = [insertExperiment(store), insertExperiment(store)];
  for (let step = 1; step <= 5; step++) {
    store.events.append(one, stepEvent(step), NOW);
    if (step % 2) store.events.append(two, stepEvent(step), NOW);
  }
  assert.deepEqual(
    store.events.after(one, 0, 100).map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    store.events.after(two, 1, 100).map(({ seq }) => seq),
    [2, 3],
  );
  assert.deepEqual(
    store.events.after(one, 2, 2).map(({ seq }) => seq),
    [3, 4],
  );
  assert.equal(store.experiments.find(one.id)?.seq, 5);
});

test('a number is not used up by a transaction that fails', (t) => {
  const store = temporaryStore(t);
  const experiment = insertExperiment(store);
  assert.throws(() =>
    store.transaction(() => {
      store.events.append(experiment, stepEvent(1), NOW);
      throw new Error('for a test');
    }),
  );
  assert.equal(store.events.append(experiment, stepEvent(1), NOW).seq, 1);
});

test('a metric that a failed transaction was the first to name can be stored afterwards', (t) => {
  const store = temporaryStore(t);
  const { number } = insertExperiment(store);
  assert.throws(() =>
    store.transaction(() => {
      store.metrics.setLatest(number, { valid: 1 });
      throw new Error('failed');
    }),
  );
  store.metrics.setLatest(number, { valid: 2 });
  assert.equal(store.metrics.latest([number]).get(number)!.valid, 2);
});

test('a series keeps one value a step, in order, and forgets what is measured again', (t) => {
  const { metrics, ...store } = temporaryStore(t);
  const { number } = insertExperiment(store as never);
  for (const step of [30, 10, 20, 40])
    metrics.addPoints(number, { step, epoch: step / 10, time: 0 }, { a: step, b: null });
  metrics.addPoints(number, { step: 20, epoch: 2, time: 1 }, { a: 5 });
  assert.deepEqual(
    metrics.points(number, 'a', -1, 100).map(({ value }) => value),
    [10, 5, 30, 40],
  );
  assert.deepEqual(metrics.lowest(number, 'a'), { epoch: 2, value: 5 });
  assert.deepEqual(metrics.keys(number), ['a', 'b']);
  metrics.rewind(number, 20);
  assert.deepEqual(
    metrics.points(number, 'a', 10, 100).map(({ step }) => step),
    [20],
  );
  assert.deepEqual(metrics.points(number, 'unknown', -1, 100), []);
});

test('deleting an experiment deletes what it said and measured', (t) => {
  const store = temporaryStore(t);
  const experiment = insertExperiment(store);
  store.events.append(experiment, stepEvent(1), NOW);
  store.metrics.addPoints(experiment.number, { step: 1, epoch: 1, time: 0 }, { a: 1 });
  store.metrics.setLatest(experiment.number, { a: 1 });
  store.experiments.delete(experiment.number);
  assert.deepEqual(store.events.after(experiment, 0, 10), []);
  assert.deepEqual(store.metrics.keys(experiment.number), []);
  assert.equal(store.metrics.latest([experiment.number]).size, 0);
});

test('pages sorted by a metric meet every experiment once, those without a value last', (t) => {
  const store = temporaryStore(t);
  const values = [3, 1, null, 2, 1, undefined, 5, 2, null];
  for (const value of values) {
    const { number } = insertExperiment(store);
    if (value !== undefined) store.metrics.setLatest(number, { validPerplexity: value });
  }
  for (const descending of [false, true]) {
    const seen: number[] = [];
    let after: Parameters<typeof store.page>[0]['after'];
    do {
      const page = store.page({ sort: 'validPerplexity', descending, limit: 2, after });
      seen.push(...page.experiments.map(({ number }) => number));
      after = page.next ?? undefined;
    } while (after);
    assert.equal(new Set(seen).size, values.length);
    const order = seen.map((number) => values[number - 1] ?? null);
    const numbers = order.filter((value) => value !== null);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => (descending ? b - a : a - b)),
    );
    assert.deepEqual(order.slice(numbers.length), [null, null, null]);
  }
});

test('filters choose by state, tag, corpus, preset and part of the name', (t) => {
  const store = temporaryStore(t);
  insertExperiment(store, { name: 'First_try 100%', tags: ['red'], preset: 'rnnlm' });
  const { number } = insertExperiment(store, { name: 'second', tags: ['red', 'blue'] });
  store.experiments.update(number, { state: 'failed' });
  const count = (filter: object) =>
    store.page({ sort: 'created', descending: true, limit: 10, ...filter }).experiments.length;
  assert.equal(count({}), 2);
  assert.equal(count({ tag: 'red' }), 2);
  assert.equal(count({ tag: 'blue' }), 1);
  assert.equal(count({ tag: 'blu' }), 0);
  assert.equal(count({ states: ['failed', 'running'] }), 1);
  assert.equal(count({ preset: 'rnnlm' }), 1);
  assert.equal(count({ name: 'FIRST_' }), 1);
  assert.equal(count({ name: '%' }), 1);
  assert.equal(count({ corpus: 'ptb' }), 0);
});

test('the best experiment is the one of the fewest bits per byte, which perplexity is not', (t) => {
  const store = temporaryStore(t);
  const insert = (bestValidPerplexity: number, bestValidBitsPerByte: number | null) => {
    const { number } = insertExperiment(store);
    const endedAt = NOW;
    store.experiments.update(number, {
      ...{ state: 'succeeded', modelDigest: 'd', endedAt },
      ...{ bestValidPerplexity, bestValidBitsPerByte },
    } as Parameters<typeof store.experiments.update>[1]);
    return number;
  };
  insert(2, null); // of an earlier version: not measured
  insert(4.2, 3.5); // words that are <unk>, cheap to guess
  const best = insert(25, 1.9);
  insert(20, 2.1);
  assert.equal(store.experiments.findBestSucceeded()?.number, best);
});
