import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resetsState } from '../../src/training/state-reset.js';
import { useBackend } from '../support/backend.js';
import { expectNoTensorLeakAsync } from '../support/tensor-leak.js';
import { eventsOf, trainTiny } from '../support/tiny-training.js';

const STEPS = 20_000;

describe('stateResetProbability', () => {
  useBackend();

  it('is the share of the steps, by the seed and the step alone', () => {
    const share = (stateResetProbability: number) => {
      const training = { seed: 3, stateResetProbability };
      let resets = 0;
      for (let step = 0; step < STEPS; step++) if (resetsState(training, step)) resets += 1;
      return resets / STEPS;
    };
    const deviation = Math.sqrt((0.1 * 0.9) / STEPS);
    assert.ok(Math.abs(share(0.1) - 0.1) < 5 * deviation);
    assert.deepEqual([share(0), share(1)], [0, 1]);
  });

  it('changes what is learned, and frees the states', () =>
    expectNoTensorLeakAsync(async () => {
      const digestOf = async (stateResetProbability: number) => {
        const { events } = await trainTiny({ training: { stateResetProbability } });
        return eventsOf(events, 'succeeded')[0]!.digest;
      };
      const always = await digestOf(1);
      assert.equal(await digestOf(1), always);
      assert.notEqual(await digestOf(0), always);
    }));
});
