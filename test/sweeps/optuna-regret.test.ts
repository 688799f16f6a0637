import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SweepStrategy } from '../../src/contracts/sweep.js';
import { createProposer } from '../../src/sweeps/create-proposer.js';
import type { Observation } from '../../src/sweeps/proposer.js';
import { createSearchSpace } from '../../src/sweeps/search-space.js';
import { readFixture } from '../support/fixture.js';
import { RANK_TEST_LIMIT, rankTest } from '../support/rank-test.js';
import { STANDARD_FUNCTIONS, type StandardFunctionName } from '../support/standard-functions.js';

interface Fixture {
  readonly budget: number;
  readonly parallel: number;
  readonly functions: Readonly<
    Record<
      StandardFunctionName,
      {
        readonly bounds: readonly (readonly [low: number, high: number])[];
        readonly minimum: number;
        readonly regrets: Readonly<Record<'tpe' | 'tpeParallel' | 'random', readonly number[]>>;
      }
    >
  >;
}

const fixture = readFixture<Fixture>('optuna-regret', 1);
const NAMES = Object.keys(fixture.functions) as StandardFunctionName[];
const TPE: SweepStrategy = { type: 'tpe', startupTrials: 10 };

/** Best value found less the minimum, one number a seed. */
function regrets(name: StandardFunctionName, strategy: SweepStrategy, parallel: number): number[] {
  const { bounds, minimum, regrets: peers } = fixture.functions[name];
  const settings = createSearchSpace(
    Object.fromEntries(
      bounds.map(([low, high], i) => [`x${'abcdef'[i]}`, { type: 'uniform', low, high, levels: 5 }]),
    ),
  );
  return peers.tpe.map((_, seed) => {
    const proposer = createProposer(strategy, settings, seed);
    const history: Observation[] = [];
    while (history.length < fixture.budget) {
      const first = history.length;
      for (let i = first; i < first + parallel; i++)
        history.push({ point: proposer.propose(i, history)!, epochs: 0, value: null });
      for (let i = first; i < history.length; i++) {
        const { point } = history[i]!;
        const value = STANDARD_FUNCTIONS[name](settings.map(({ path }) => point[path] as number));
        history[i] = { point, epochs: 1, value };
      }
    }
    return Math.min(...history.map(({ value }) => value!)) - minimum;
  });
}

for (const name of NAMES) {
  test(`tpe comes as near to the minimum of ${name} as Optuna’s`, () => {
    const ours = regrets(name, TPE, 1);
    assert.ok(ours.every((regret) => regret >= 0));
    assert.ok(rankTest(ours, fixture.functions[name].regrets.tpe) < RANK_TEST_LIMIT);
  });

  test(`tpe with ${fixture.parallel} trials at a time comes as near to the minimum of ${name} as Optuna’s`, () => {
    const ours = regrets(name, TPE, fixture.parallel);
    assert.ok(rankTest(ours, fixture.functions[name].regrets.tpeParallel) < RANK_TEST_LIMIT);
  });

  test(`scattered points are told to be worse than Optuna’s tpe on ${name}: the comparison can fail`, () => {
    const ours = regrets(name, { type: 'random' }, 1);
    assert.ok(rankTest(ours, fixture.functions[name].regrets.tpe) > RANK_TEST_LIMIT);
  });
}
