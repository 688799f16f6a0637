import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ablateOf, ablationEffect, toggleUnit, type Unit } from '../../web/logic/ablation.js';
import type { TextToken } from '../../web/logic/scored-text.js';

const textOf = (surprisals: readonly number[]): TextToken[] =>
  surprisals.map((surprisal, index) => ({
    text: 'a',
    before: '',
    scored: { token: 'a', start: index, end: index + 1, surprisal },
  }));

test('units are switched off and on again, and named layer by layer', () => {
  let units: readonly Unit[] = [];
  for (const [layer, unit] of [
    [1, 3],
    [0, 3],
    [1, 9],
    [0, 4],
    [0, 3],
  ] as const)
    units = toggleUnit(units, { layer, unit });
  assert.deepEqual(ablateOf(units), [
    { layer: 0, units: [4] },
    { layer: 1, units: [3, 9] },
  ]);
});

test('what switching off does is told token by token, and as means', () => {
  const effect = ablationEffect(textOf([1, 2, 6]), textOf([1.5, 2, 4]));
  assert.deepEqual(effect, { changes: [0.5, 0, -2], before: 3, after: 2.5 });
});
