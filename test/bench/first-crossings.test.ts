import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstCrossings } from '../../bench/first-crossings.js';

const curve = [10_000, 160, 150, 151, 118].map((validPerplexity, index) => ({
  step: 100 * index,
  epoch: index / 10,
  seconds: 2 * index,
  validPerplexity,
}));

describe('firstCrossings', () => {
  it('gives the first evaluation at or below each target, whatever follows it', () => {
    assert.deepEqual(firstCrossings(curve, [150, 120]), [
      { target: 150, at: curve[2] },
      { target: 120, at: curve[4] },
    ]);
  });

  it('gives null for a target that no evaluation reaches', () => {
    assert.deepEqual(firstCrossings(curve, [100]), [{ target: 100, at: null }]);
    assert.deepEqual(firstCrossings([], [100]), [{ target: 100, at: null }]);
  });
});
