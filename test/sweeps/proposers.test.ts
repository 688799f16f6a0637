import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SweepPoint, SweepSpace, SweepStrategy } from '../../src/contracts/sweep.js';
import { createProposer } from '../../src/sweeps/create-proposer.js';
import { LabelledRandom } from '../../src/sweeps/labelled-random.js';
import { ParzenEstimator } from '../../src/sweeps/parzen-estimator.js';
import type { Observation } from '../../src/sweeps/proposer.js';
import { createSearchSpace } from '../../src/sweeps/search-space.js';
import { splitTrials } from '../../src/sweeps/tpe.js';

const MIXED = SweepSpace.parse({
  'optimizer.type': { type: 'choice', values: ['sgd', 'adam'] },
  'optimizer.learningRate': { type: 'log-uniform', low: 1e-4, high: 30 },
  'optimizer.beta1': { type: 'uniform', low: 0.5, high: 0.99, when: { 'optimizer.type': ['adam'] } },
  'training.bpttLength': { type: 'integer', low: 5, high: 70, scale: 'log' },
});
const settings = createSearchSpace(MIXED);

/** Best near adam, beta1 0.9, learning rate 0.003. */
function loss(point: SweepPoint): number {
  const rate = Math.log10((point['optimizer.learningRate'] as number) / 0.003) ** 2;
  return (
    rate + (point['optimizer.type'] === 'adam' ? Math.abs((point['optimizer.beta1'] as number) - 0.9) : 1)
  );
}

function run(strategy: unknown, count: number, seed = 1): Observation[] {
  const proposer = createProposer(SweepStrategy.parse(strategy), settings, seed);
  const history: Observation[] = [];
  for (let index = 0; index < count; index++) {
    const point = proposer.propose(index, history)!;
    history.push({ point, epochs: 1, value: loss(point) });
  }
  return history;
}
const points = (history: readonly Observation[]) => history.map(({ point }) => point);

test('the same seed proposes the same trials, another one others', () => {
  for (const type of ['random', 'tpe']) {
    assert.deepEqual(points(run({ type }, 30)), points(run({ type }, 30)));
    assert.notDeepEqual(points(run({ type }, 30)), points(run({ type }, 30, 2)));
  }
});

test('a proposal depends on the history alone, not on what the proposer was asked before', () => {
  const history = run({ type: 'tpe' }, 40);
  for (const index of [0, 5, 10, 25, 39]) {
    const fresh = createProposer(SweepStrategy.parse({ type: 'tpe' }), settings, 1);
    assert.deepEqual(fresh.propose(index, history.slice(0, index)), history[index]!.point);
  }
});

test('tpe finds the better branch of a choice and the setting that applies only there', () => {
  const late = points(run({ type: 'tpe' }, 80)).slice(40);
  const adam = late.filter((point) => point['optimizer.type'] === 'adam');
  assert.ok(adam.length > 30, `${adam.length} of 40`);
  const betas = adam.map((point) => point['optimizer.beta1'] as number).toSorted((a, b) => a - b);
  assert.ok(Math.abs(betas[betas.length >> 1]! - 0.9) < 0.05, `${betas[betas.length >> 1]}`);
  assert.ok(late.every((point) => 'optimizer.beta1' in point === (point['optimizer.type'] === 'adam')));
});

test('no point is proposed twice, and a small space is exhausted', () => {
  const small = createSearchSpace(
    SweepSpace.parse({
      a: { type: 'choice', values: ['x', 'y', null] },
      b: { type: 'integer', low: 1, high: 4 },
    }),
  );
  for (const type of ['grid', 'random', 'tpe']) {
    const proposer = createProposer(SweepStrategy.parse({ type }), small, 1);
    const history: Observation[] = [];
    for (let point = proposer.propose(0, []); point; point = proposer.propose(history.length, history))
      history.push({ point, epochs: 1, value: (point.b as number) - (point.a === null ? 5 : 0) });
    assert.equal(history.length, 12, type);
    assert.equal(new Set(history.map(({ point }) => JSON.stringify(point))).size, 12, type);
  }
});

test('trials that run side by side keep away from each other', () => {
  const history = run({ type: 'tpe' }, 30);
  const pending = (value: number | null): Observation[] => {
    const proposer = createProposer(SweepStrategy.parse({ type: 'tpe' }), settings, 1);
    const all = [...history];
    for (let i = 0; i < 10; i++)
      all.push({ point: proposer.propose(all.length, all)!, epochs: value === null ? 0 : 1, value });
    return all.slice(30);
  };
  const spread = (trials: readonly Observation[]) => {
    const logs = trials.map(({ point }) => Math.log(point['optimizer.learningRate'] as number));
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    return Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
  };
  assert.ok(spread(pending(null)) > spread(pending(0)), 'wider than if each had been the best so far');
});

test('a failed trial is the worst, a stopped one is worse than those that came farther', () => {
  const trial = (name: string, epochs: number, value: number | null): Observation => ({
    point: { name },
    epochs,
    value,
  });
  const history = [
    trial('failed', 9, Number.POSITIVE_INFINITY),
    trial('stopped early with a good value', 1, 0.1),
    trial('went to its end', 9, 0.5),
    trial('running', 0, null),
  ];
  const { good, others } = splitTrials(history);
  assert.deepEqual(good, [{ name: 'went to its end' }]);
  assert.equal(others.length, 3);
});

test('the density of the Parzen estimator sums to 1, and samples follow it', () => {
  const space = createSearchSpace(
    SweepSpace.parse({
      kind: { type: 'choice', values: ['p', 'q'] },
      rate: { type: 'uniform', low: 0, high: 2 },
      size: { type: 'integer', low: 1, high: 5, when: { kind: ['q'] } },
    }),
  );
  const observed: SweepPoint[] = [
    { kind: 'p', rate: 0.3 },
    { kind: 'q', rate: 1.9, size: 5 },
    { kind: 'q', rate: 1.5, size: 4 },
  ];
  const estimator = new ParzenEstimator(space, observed);
  const cells = 1000;
  let [total, inP] = [0, 0];
  for (let cell = 0; cell < cells; cell++) {
    const rate = (2 * (cell + 0.5)) / cells;
    const p = Math.exp(estimator.logDensity({ kind: 'p', rate })) / cells;
    const q = [1, 2, 3, 4, 5].map(
      (size) => Math.exp(estimator.logDensity({ kind: 'q', rate, size })) / cells,
    );
    total += p + q.reduce((sum, value) => sum + value, 0);
    inP += p;
  }
  assert.ok(Math.abs(total - 1) < 1e-3, `${total}`);
  const random = new LabelledRandom('samples');
  const drawn = Array.from({ length: 4000 }, () => estimator.sample(random));
  const part = drawn.filter(({ kind }) => kind === 'p').length / drawn.length;
  assert.ok(Math.abs(part - inP) < 4 * Math.sqrt((inP * (1 - inP)) / drawn.length), `${part} of ${inP}`);
});
