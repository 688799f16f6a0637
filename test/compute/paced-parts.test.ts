import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { PacedParts } from '../../src/compute/paced-parts.js';

function pacedParts() {
  const posted: unknown[][] = [];
  return { posted, parts: new PacedParts({ postMessage: (some) => posted.push([...some]) }) };
}

test('the first part is posted at once, those that follow together, in order, and none is kept', async () => {
  const { posted, parts } = pacedParts();
  parts.add(1);
  assert.deepEqual(posted, [[1]]);
  parts.add(2);
  parts.add(3);
  assert.equal(posted.length, 1);
  while (posted.length < 2) await after(1); // by itself
  assert.deepEqual(posted, [[1], [2, 3]]);
});

test('the end of a task does not wait, and posts nothing twice', async () => {
  const { posted, parts } = pacedParts();
  parts.add(1);
  parts.add(2);
  parts.flush();
  parts.flush();
  assert.deepEqual(posted, [[1], [2]]);
  await after(20);
  assert.equal(posted.length, 2);
});
