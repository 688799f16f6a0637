/** What changes often is read at intervals, its last change among them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pacedReads } from '../../web/logic/paced-reads.js';

const PAUSE_MS = 4000;

/** Reads that end when the test says so. */
function controlledReads(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const open: ((isRead: boolean) => void)[] = [];
  let count = 0;
  const reads = pacedReads(PAUSE_MS, () => {
    count += 1;
    return new Promise((resolve) => {
      open.push(resolve);
    });
  });
  const settled = () => new Promise(setImmediate);
  return {
    want: (seq: number) => reads.want('a', seq),
    stop: reads.stop,
    count: () => count,
    async answer(isRead: boolean) {
      open.shift()!(isRead);
      await settled();
    },
    async pass(ms: number) {
      t.mock.timers.tick(ms);
      await settled();
    },
  };
}

test('a change soon after a read is read when the pause is over, though nothing comes after it', async (t) => {
  const reads = controlledReads(t);
  reads.want(1);
  await reads.answer(true);
  reads.want(2);
  reads.want(3);
  await reads.pass(PAUSE_MS - 1);
  assert.equal(reads.count(), 1);
  await reads.pass(1);
  assert.equal(reads.count(), 2);
  await reads.answer(true);
  await reads.pass(PAUSE_MS);
  reads.want(3);
  assert.equal(reads.count(), 2, 'what has not changed is not read');
});

test('a change during a read is read after it, and not beside it', async (t) => {
  const reads = controlledReads(t);
  reads.want(1);
  await reads.pass(PAUSE_MS);
  reads.want(2);
  await reads.pass(PAUSE_MS);
  assert.equal(reads.count(), 1);
  await reads.answer(true);
  assert.equal(reads.count(), 2);
});

test('a read that failed is tried again after the pause, until it is stopped', async (t) => {
  const reads = controlledReads(t);
  reads.want(1);
  await reads.answer(false);
  await reads.pass(PAUSE_MS);
  assert.equal(reads.count(), 2);
  await reads.answer(false);
  reads.stop();
  await reads.pass(PAUSE_MS);
  assert.equal(reads.count(), 2);
});
