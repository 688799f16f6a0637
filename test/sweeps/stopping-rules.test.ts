import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ashaRungs, createAsha } from '../../src/sweeps/asha.js';
import { createMedianRule } from '../../src/sweeps/median-rule.js';
import type { JudgedTrial } from '../../src/sweeps/stopping-rule.js';

function trials(...curves: readonly (readonly number[])[]): JudgedTrial[] {
  return curves.map((values, index) => ({ index, values, isRunning: false, isOver: false }));
}

test('the rungs of asha grow by the reduction factor and end at the last epoch', () => {
  assert.deepEqual(ashaRungs({ minimumEpochs: 1, reductionFactor: 3 }, 27), [1, 3, 9, 27]);
  assert.deepEqual(ashaRungs({ minimumEpochs: 2, reductionFactor: 2 }, 9), [2, 4, 8, 9]);
  assert.deepEqual(ashaRungs({ minimumEpochs: 1, reductionFactor: 2.5 }, 7), [1, 3, 6, 7]);
  assert.deepEqual(ashaRungs({ minimumEpochs: 5, reductionFactor: 3 }, 4), [4]);
});

test('asha promotes one of three at a rung, the best one, and the highest rung first', () => {
  const asha = createAsha({ minimumEpochs: 1, reductionFactor: 3 }, 9);
  assert.equal(asha.promote(trials([5], [4])), null, 'two trials: none is among the best third');
  assert.equal(asha.promote(trials([5], [4], [6])), 1);
  assert.equal(asha.promote(trials([5], [4, 3, 2], [6])), null, 'the best third has gone on already');
  const higher = trials([5, 5, 5], [4, 3, 2], [6, 6, 1], [3], [9], [9], [9], [9], [9], [9], [9], [9]);
  assert.equal(asha.promote(higher), 2, 'from rung 3 before rung 1');
  assert.equal(asha.nextRung(0), 1);
  assert.equal(asha.nextRung(3), 9);
});

test('asha judges a trial by its best epoch up to the rung and passes over running, failed and ended ones', () => {
  const asha = createAsha({ minimumEpochs: 2, reductionFactor: 2 }, 8);
  assert.equal(asha.promote(trials([1, 9], [2, 2])), 0);
  const [best, second, ...rest] = trials([1, 1], [2, 2], [3, 3], [4, 4]);
  assert.equal(asha.promote([{ ...best!, isRunning: true }, second!, ...rest]), 1);
  assert.equal(asha.promote([{ ...best!, isOver: true }, second!, ...rest]), 1);
  const failed = { ...best!, values: [Number.POSITIVE_INFINITY], isOver: true };
  const [, ...others] = trials([9, 9], [2, 2], [3, 3]);
  assert.equal(asha.promote([failed, ...others]), 1);
});

test('the median rule stops a trial whose best value is worse than the median of the others’ means', () => {
  const rule = createMedianRule({ minimumEpochs: 2, minimumTrials: 3 }, 10);
  assert.equal(rule.nextRung(0), 2);
  assert.equal(rule.nextRung(2), 3);
  assert.equal(rule.nextRung(10), 10);
  const others = trials([4, 2], [6, 4], [8, 6]); // means 3, 5, 7
  const judge = (values: readonly number[], among = others) => {
    const trial = { index: 9, values, isRunning: true, isOver: false };
    return rule.goesOn(trial, [...among, trial]);
  };
  assert.equal(judge([9, 5]), true, 'as good as the median');
  assert.equal(judge([9, 5.1]), false);
  assert.equal(judge([4, 9]), true, 'its best epoch counts');
  assert.equal(judge([99, 99], others.slice(1)), true, 'too few others');
  assert.equal(judge([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]), false);
});
