import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { EventBus } from '../../src/experiments/event-bus.js';
import { createEventLog } from '../../src/experiments/event-log.js';
import { DATABASE_FILE } from '../../src/files/layout.js';
import { openStore } from '../../src/store/store.js';
import { cleanUp } from '../support/clean-up.js';
import { SUCCEEDED_EVENT, startedEvent, stepEvent } from '../support/fake-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { insertExperiment } from '../support/store.js';

function setUp(t: TestContext) {
  const file = join(temporaryFolder(t), 'test.sqlite');
  const store = openStore(file);
  const other = new Sqlite(file, { readonly: true });
  cleanUp(t, () => {
    other.close();
    store.close();
  });
  const seqs = other.prepare<[string], number>('SELECT seq FROM experiments WHERE id = ?').pluck();
  const bus = new EventBus((error) => {
    throw error;
  });
  const { id, number } = insertExperiment(store);
  store.experiments.update(number, { state: 'running', attempt: 1 });
  return { store, bus, log: createEventLog(store, bus), id, seenByOthers: () => seqs.get(id) };
}

test('a listener hears an event when every other connection sees it, also from within nested transactions', (t) => {
  const { store, bus, log, id, seenByOthers } = setUp(t);
  const heard: { seq: number; seenByOthers: number | undefined }[] = [];
  bus.subscribe(id, (published) => heard.push({ seq: published!.event.seq, seenByOthers: seenByOthers() }));
  log.record(id, startedEvent());
  store.transaction(() => {
    store.transaction(() => log.record(id, stepEvent(1)));
    log.record(id, stepEvent(2));
    assert.equal(heard.length, 1, 'nothing is heard before the outermost transaction is committed');
  });
  assert.deepEqual(heard, [
    { seq: 1, seenByOthers: 1 },
    { seq: 2, seenByOthers: 3 },
    { seq: 3, seenByOthers: 3 },
  ]);
});

test('what is rolled back is never published, and what is recorded after it is', (t) => {
  const { store, bus, log, id, seenByOthers } = setUp(t);
  const heard: string[] = [];
  bus.subscribe(id, (published) => heard.push(published!.event.type));
  const rollBack = (): never => {
    throw new Error('rolled back');
  };
  assert.throws(
    () =>
      store.transaction(() => {
        log.record(id, startedEvent());
        rollBack();
      }),
    /rolled back/,
  );
  assert.deepEqual(heard, []);
  assert.equal(seenByOthers(), 0);
  store.transaction(() => {
    log.record(id, startedEvent());
    assert.throws(() =>
      store.transaction(() => {
        log.record(id, stepEvent(1));
        rollBack();
      }),
    );
    log.record(id, SUCCEEDED_EVENT);
  });
  assert.deepEqual(heard, ['started', 'succeeded']);
  assert.equal(seenByOthers(), 2);
});

test('events that a listener records are heard by all in the order of their numbers', (t) => {
  const { bus, log, id } = setUp(t);
  const heard: number[] = [];
  bus.subscribe(id, (published) => {
    if (published!.event.type === 'started') log.record(id, stepEvent(1));
  });
  bus.subscribe(id, (published) => heard.push(published!.event.seq));
  log.record(id, startedEvent());
  assert.deepEqual(heard, [1, 2]);
});

test('a creation that is rolled back tells nobody that it was queued', async (t) => {
  const { services, dataDir, app } = await startService(t);
  const other = new Sqlite(join(dataDir, DATABASE_FILE), { readonly: true });
  cleanUp(t, () => other.close());
  const rows = other.prepare<[string], number>('SELECT count(*) FROM experiments WHERE id = ?').pluck();
  const heard: { type: string; rows: number | undefined }[] = [];
  const publish = services.bus.publish.bind(services.bus);
  t.mock.method(services.bus, 'publish', (...[id, event]: Parameters<typeof publish>) => {
    heard.push({ type: event.type, rows: rows.get(id) });
    publish(id, event);
  });
  const add = t.mock.method(services.queue, 'wake', () => {
    throw new Error('after the event was stored');
  });
  await app.inject({ method: 'POST', url: '/experiments', payload: {} }).then(({ statusCode }) => {
    assert.equal(statusCode, 500);
  });
  assert.deepEqual(heard, []);
  add.mock.restore();
  const answer = await app.inject({ method: 'POST', url: '/experiments', payload: {} });
  assert.equal(answer.statusCode, 201);
  assert.deepEqual(heard[0], { type: 'queued', rows: 1 });
});
