import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SweepInput } from '../../src/contracts/sweep.js';
import type { SweepTrial } from '../../src/contracts/sweep-view.js';
import { byValue, sweepAxes } from '../../web/logic/sweep-axes.js';

const trial = (number: number, value: number | null, point: SweepTrial['point']): SweepTrial => ({
  ...{
    trial: number,
    value,
    point,
    state: 'finished',
    epochs: 1,
    bestEpoch: 1,
    experimentIds: [],
    error: null,
  },
});

test('each setting is an axis of its kind, and the objective is the last one', () => {
  const { space } = SweepInput.parse({
    corpus: 'handbook',
    space: {
      'optimizer.learningRate': { type: 'log-uniform', low: 1, high: 100 },
      'model.dropout.output': { type: 'uniform', low: 0, high: 0.5 },
      'optimizer.type': { type: 'choice', values: ['sgd', 'adam'] },
    },
  });
  const trials = [
    trial(0, 5, { 'optimizer.learningRate': 10, 'model.dropout.output': 0.1, 'optimizer.type': 'adam' }),
    trial(1, 4, { 'optimizer.learningRate': 1, 'optimizer.type': 'sgd' }),
    trial(2, null, { 'optimizer.learningRate': 100, 'model.dropout.output': 0.5, 'optimizer.type': 'sgd' }),
  ];
  const axes = sweepAxes(space, trials, String);
  assert.deepEqual(
    trials.map((one) => axes.map((axis) => axis.placeOf(one))),
    [
      [0.5, 0.2, 1, 1],
      [0, null, 0, 0],
      [1, 1, 0, null],
    ],
  );
  assert.deepEqual(
    axes[0]!.marks.map(({ text }) => text),
    ['1', '10', '100'],
  );
  assert.deepEqual(
    byValue(trials).map((one) => one.trial),
    [1, 0, 2],
  );
});
