import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newExperimentId } from '../../src/experiments/experiment-id.js';

test('ids sort by time, differ, and need no escaping', () => {
  const times = [0, 1, 31, 32, 1_000_000, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000];
  const ids = times.map((time) => newExperimentId(time));
  assert.deepEqual(ids, ids.toSorted());
  for (const id of ids) assert.match(id, /^[0-9a-hjkmnp-tv-z]{18}$/);
  assert.equal(new Set(Array.from({ length: 1000 }, () => newExperimentId(5))).size, 1000);
});
