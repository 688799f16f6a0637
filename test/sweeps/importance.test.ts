import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SweepPoint, SweepSpace } from '../../src/contracts/sweep.js';
import { createProposer } from '../../src/sweeps/create-proposer.js';
import { settingImportance } from '../../src/sweeps/importance.js';
import { createSearchSpace } from '../../src/sweeps/search-space.js';

const settings = createSearchSpace(
  SweepSpace.parse({
    strong: { type: 'log-uniform', low: 0.01, high: 100 },
    weak: { type: 'uniform', low: -1, high: 1 },
    nothing: { type: 'integer', low: 1, high: 30 },
    kind: { type: 'choice', values: ['good', 'bad', 'worse'] },
  }),
);

function importance(loss: (point: SweepPoint) => number, trials = 200) {
  const proposer = createProposer({ type: 'random' }, settings, 3);
  const history = Array.from({ length: trials }, (_, index) => {
    const point = proposer.propose(index, [])!;
    return { point, epochs: 1, value: loss(point) };
  });
  return settingImportance(settings, history);
}

test('the importances sum to 1 and stand in the order in which the settings decide the value', () => {
  const found = importance(
    ({ strong, weak }) => 4 * Math.log10(strong as number) ** 2 + (weak as number) ** 2,
  )!;
  const sum = Object.values(found).reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - 1) < 1e-9);
  assert.ok(found.strong! > 0.5, JSON.stringify(found));
  assert.ok(found.strong! > found.weak! && found.weak! > found.nothing!, JSON.stringify(found));
});

test('a choice that decides everything is the most important setting', () => {
  const found = importance(({ kind, weak }) => (kind === 'good' ? 0 : 10) + 0.1 * (weak as number))!;
  assert.ok(found.kind! > Math.max(found.strong!, found.nothing!), JSON.stringify(found));
});

test('failed trials are the worst ones: a setting that makes trials fail matters', () => {
  const found = importance(({ strong, nothing }) =>
    (strong as number) > 0.1 ? Number.POSITIVE_INFINITY : (nothing as number) / 1000,
  )!;
  assert.ok(found.strong! > 0.5, JSON.stringify(found));
});

test('too few trials have no importance', () => {
  assert.equal(
    importance(() => 1, 9),
    null,
  );
});
