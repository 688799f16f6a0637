import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { EventBus } from '../../src/experiments/event-bus.js';
import { experimentHistory } from '../../src/experiments/event-history.js';
import { createEventLog } from '../../src/experiments/event-log.js';
import { type EventFollower, followEvents } from '../../src/experiments/follow-events.js';
import { SUCCEEDED_EVENT, startedEvent, stepEvent } from '../support/fake-executor.js';
import { insertExperiment, temporaryStore } from '../support/store.js';

class Recorder implements EventFollower {
  readonly seqs: number[] = [];
  readonly ended: Promise<string>;
  #end: (reason: string) => void = () => {};
  isLive = false;
  #room: () => Promise<unknown>;

  constructor(room: () => Promise<unknown> = async () => {}) {
    this.#room = room;
    this.ended = new Promise((end) => {
      this.#end = end;
    });
  }

  onEvent({ event }: Parameters<EventFollower['onEvent']>[0]): void {
    this.seqs.push(event.seq);
  }

  async hasRoom(): Promise<void> {
    await this.#room();
  }

  onLive(): void {
    this.isLive = true;
  }

  onEnd(reason: string): void {
    this.#end(reason);
  }

  onFailure(error: unknown): void {
    this.#end(String(error));
  }
}

function setUp(t: Parameters<typeof temporaryStore>[0]) {
  const store = temporaryStore(t);
  const bus = new EventBus((error) => {
    throw error;
  });
  const log = createEventLog(store, bus);
  const { id, number } = insertExperiment(store);
  store.experiments.update(number, { state: 'preparing', attempt: 1 });
  return { store, bus, log, id };
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('followers that join at any moment of a busy training get every event once, in order', async (t) => {
  const { store, bus, log, id } = setUp(t);
  const followers: { since: number; recorder: Recorder }[] = [];
  log.record(id, startedEvent());
  const LAST = 1100; // three pages of a replay
  for (let seq = 2; seq < LAST; seq++) {
    log.record(id, stepEvent(seq));
    if (seq % 300 === 0) {
      const since = seq % 600 === 0 ? 0 : seq - 10;
      const recorder = new Recorder(() => setImmediate());
      followers.push({ since, recorder });
      followEvents(experimentHistory({ store, bus }, id), since, recorder);
    }
    if (seq % 50 === 0) await setImmediate(); // replays go on while events are published
  }
  const late = new Recorder(() => setImmediate());
  followers.push({ since: 0, recorder: late });
  followEvents(experimentHistory({ store, bus }, id), 0, late);
  log.record(id, SUCCEEDED_EVENT);
  for (const { since, recorder } of followers) {
    assert.equal(await recorder.ended, 'succeeded');
    assert.deepEqual(recorder.seqs, upTo(LAST, since + 1));
  }
});

test('a follower that has seen the last event is told so at once; a number from the future hides nothing', async (t) => {
  const { store, bus, log, id } = setUp(t);
  log.record(id, startedEvent());
  const early = new Recorder();
  followEvents(experimentHistory({ store, bus }, id), 1_000_000, early);
  log.record(id, SUCCEEDED_EVENT);
  assert.equal(await early.ended, 'succeeded');
  assert.deepEqual(early.seqs, [2]);
  const late = new Recorder();
  followEvents(experimentHistory({ store, bus }, id), 2, late);
  assert.equal(await late.ended, 'succeeded');
  assert.deepEqual(late.seqs, []);
});

test('an end that was followed by a resumption does not end a replay', async (t) => {
  const { store, bus, log, id } = setUp(t);
  log.record(id, { type: 'interrupted', data: { reason: 'for a test', willRestart: false } });
  log.record(id, { type: 'queued', data: { position: 0 } });
  const recorder = new Recorder();
  followEvents(experimentHistory({ store, bus }, id), 0, recorder);
  log.record(id, { type: 'cancelled', data: { epoch: 0, step: 0 } });
  assert.equal(await recorder.ended, 'cancelled');
  assert.deepEqual(recorder.seqs, [1, 2, 3]);
});

test('a follower whose experiment is deleted is told so', async (t) => {
  const { store, bus, log, id } = setUp(t);
  log.record(id, startedEvent());
  const recorder = new Recorder();
  followEvents(experimentHistory({ store, bus }, id), 0, recorder);
  bus.end(id);
  assert.equal(await recorder.ended, 'deleted');
});

test('a replay reads no further than its reader', async (t) => {
  const { store, bus, log, id } = setUp(t);
  log.record(id, startedEvent());
  for (let seq = 2; seq <= 1200; seq++) log.record(id, stepEvent(seq));
  let open = () => {};
  const recorder = new Recorder(() => new Promise<void>((go) => (open = go)));
  const stop = followEvents(experimentHistory({ store, bus }, id), 0, recorder);
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  assert.equal(recorder.seqs.length, 500);
  open();
  await setImmediate();
  assert.equal(recorder.seqs.length, 1000);
  stop();
  open();
  await setImmediate();
  assert.equal(recorder.seqs.length, 1000);
});

test('a follower is told when old events cannot be read, and nobody else notices', async (t) => {
  const { store, bus, log, id } = setUp(t);
  log.record(id, startedEvent());
  const broken = {
    ...store,
    events: {
      ...store.events,
      after() {
        throw new Error('the disk is broken');
      },
    },
  };
  const recorder = new Recorder();
  followEvents(experimentHistory({ store: broken, bus }, id), 0, recorder);
  assert.match(await recorder.ended, /the disk is broken/);
  log.record(id, stepEvent(1));
  assert.deepEqual(recorder.seqs, []);
});
