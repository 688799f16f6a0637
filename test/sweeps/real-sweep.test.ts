/** Sweeps over a small space whose trials were really trained, held against Optuna's over the same table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SweepPoint, SweepStopping, SweepStrategy } from '../../src/contracts/sweep.js';
import { createProposer } from '../../src/sweeps/create-proposer.js';
import { createStoppingRule } from '../../src/sweeps/create-stopping-rule.js';
import { createSearchSpace } from '../../src/sweeps/search-space.js';
import { SweepSchedule } from '../../src/sweeps/sweep-schedule.js';
import { readFixture } from '../support/fixture.js';
import { RANK_TEST_LIMIT, rankTest } from '../support/rank-test.js';

interface Table {
  readonly epochs: number;
  readonly space: Readonly<Record<string, readonly unknown[]>>;
  readonly curves: Readonly<Record<string, readonly (number | null)[]>>;
}
interface Search {
  /** Best loss found less the lowest of the space. */
  readonly regret: number;
  readonly epochs: number;
}
interface Peers {
  readonly trials: number;
  readonly tpe: readonly Search[];
  readonly tpeHalving: readonly Search[];
  readonly random: readonly Search[];
}

const { epochs: EPOCHS, space: LEVELS, curves } = readFixture<Table>('real-sweep', 1);
const peers = readFixture<Peers>('real-sweep-optuna', 1);
const LOWEST = Math.min(...Object.values(curves).flatMap((curve) => curve.filter((loss) => loss !== null)));
const TPE: SweepStrategy = { type: 'tpe', startupTrials: 10 };
const ASHA: SweepStopping = { type: 'asha', minimumEpochs: 1, reductionFactor: 3 };
const NONE: SweepStopping = { type: 'none' };

const levelsOf = (name: string, when?: string) => ({
  type: 'integer' as const,
  low: 0,
  high: LEVELS[name]!.length - 1,
  step: 1,
  scale: 'linear' as const,
  levels: null,
  when: when === undefined ? undefined : { optimizer: [when] },
});
const SPACE = createSearchSpace({
  optimizer: { type: 'choice', values: [...LEVELS.optimizer!] },
  sgdRate: levelsOf('sgdRate', 'sgd'),
  adamRate: levelsOf('adamRate', 'adam'),
  hiddenSize: levelsOf('hiddenSize'),
  dropout: levelsOf('dropout'),
});

function curveOf(point: SweepPoint): number[] {
  const { optimizer, sgdRate, adamRate, hiddenSize, dropout } = point;
  const curve = curves[[optimizer, sgdRate ?? adamRate, hiddenSize, dropout].join()]!;
  return curve.map((loss) => loss ?? Number.POSITIVE_INFINITY);
}

function search(strategy: SweepStrategy, stopping: SweepStopping, seed: number, parallel = 1): Search {
  const schedule = new SweepSchedule({
    proposer: createProposer(strategy, SPACE, seed),
    rule: createStoppingRule(stopping, EPOCHS),
    epochsOf: () => EPOCHS,
    parallel,
    limits: [{ afterRungs: 0, trials: peers.trials }],
  });
  schedule.advance((index) => {
    const { point, toEpoch } = schedule.trials[index]!;
    const values = curveOf(point).slice(0, Math.min(toEpoch, EPOCHS));
    return { values, isOver: values.length === EPOCHS, hasFailed: false };
  });
  const trained = schedule.trials.map(({ point, toEpoch }) => curveOf(point).slice(0, toEpoch));
  return {
    regret: Math.min(...trained.flat()) - LOWEST,
    epochs: trained.reduce((sum, { length }) => sum + length, 0),
  };
}

const searches = (strategy: SweepStrategy, stopping: SweepStopping, parallel = 1) =>
  peers.tpe.map((_, seed) => search(strategy, stopping, seed, parallel));
const regrets = (all: readonly Search[]) => all.map(({ regret }) => regret);
const epochs = (all: readonly Search[]) => all.map((each) => each.epochs);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('tpe finds what Optuna’s finds in a space whose trials were really trained', (context) => {
  const ours = searches(TPE, NONE);
  context.diagnostic(`mean regret ${mean(regrets(ours))}, Optuna’s ${mean(regrets(peers.tpe))}`);
  assert.ok(rankTest(regrets(ours), regrets(peers.tpe)) < RANK_TEST_LIMIT);
});

test('with asha it finds no less than Optuna’s with successive halving', (context) => {
  const ours = searches(TPE, ASHA);
  const [own, other] = [epochs(ours), epochs(peers.tpeHalving)];
  context.diagnostic(
    `mean regret ${mean(regrets(ours))} with ${mean(own)} epochs, Optuna’s ${mean(regrets(peers.tpeHalving))} with ${mean(other)}`,
  );
  assert.ok(rankTest(regrets(ours), regrets(peers.tpeHalving)) < RANK_TEST_LIMIT);
});

test('asha trains less than half of the epochs that the same number of whole trials takes', (context) => {
  const whole = mean(epochs(searches(TPE, NONE, 2)));
  const stopped = mean(epochs(searches(TPE, ASHA, 2)));
  context.diagnostic(`${stopped} of ${whole} epochs`);
  assert.equal(whole, peers.trials * EPOCHS);
  assert.ok(stopped < whole / 2, `${stopped} of ${whole}`);
});

test('scattered points are told to be worse than Optuna’s tpe: the comparison can fail', () => {
  assert.ok(rankTest(regrets(peers.random), regrets(peers.tpe)) > RANK_TEST_LIMIT);
  assert.ok(rankTest(regrets(searches({ type: 'random' }, NONE)), regrets(peers.tpe)) > RANK_TEST_LIMIT);
});
