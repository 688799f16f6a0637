import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../src/compute/event-queue.js';

test('gives a slow and a waiting reader the same items in the same order, and ends', async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.push(2);
  const read: number[] = [];
  for await (const items of queue) {
    read.push(...items);
    if (items.includes(2)) setImmediate(() => queue.push(3)); // the reader waits by then
    if (items.includes(3)) {
      queue.push(4);
      queue.end();
      queue.push(5); // too late
    }
  }
  assert.deepEqual(read, [1, 2, 3, 4]);
});

test('gives what has piled up in batches, between which other work is done', async () => {
  const queue = new EventQueue<number>();
  const pushed = Array.from({ length: 250 }, (_, index) => index);
  for (const item of pushed) queue.push(item);
  queue.end();
  const batches: (readonly number[])[] = [];
  let others = 0;
  const count = () => {
    others += 1;
    if (batches.length < 3) setImmediate(count);
  };
  setImmediate(count);
  for await (const items of queue) batches.push(items);
  assert.deepEqual(batches.flat(), pushed);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [100, 100, 50],
  );
  assert.ok(others >= 2);
});
