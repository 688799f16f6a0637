import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../src/compute/event-queue.js';

test('gives a slow and a waiting reader the same items in the same order, and ends', async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.push(2);
  const read: number[] = [];
  for await (const item of queue) {
    read.push(item);
    if (item === 2) setImmediate(() => queue.push(3)); // the reader waits by then
    if (item === 3) {
      queue.push(4);
      queue.end();
      queue.push(5); // too late
    }
  }
  assert.deepEqual(read, [1, 2, 3, 4]);
});
