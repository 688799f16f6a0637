import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SweepSpace } from '../../src/contracts/sweep.js';
import { createGridProposer } from '../../src/sweeps/grid.js';
import {
  buildPoint,
  createSearchSpace,
  type NumberSetting,
  type Setting,
} from '../../src/sweeps/search-space.js';

function space(raw: unknown): readonly Setting[] {
  return createSearchSpace(SweepSpace.parse(raw));
}
function single(dimension: unknown): NumberSetting {
  const [setting] = space({ a: dimension });
  assert.equal(setting!.kind, 'number');
  return setting as NumberSetting;
}
function grid(raw: unknown) {
  const proposer = createGridProposer(space(raw));
  const points = [];
  for (let point = proposer.propose(0, []); point; point = proposer.propose(points.length, []))
    points.push(point);
  return points;
}

test('every place is inside the cell of its value, and the cells of an integer fill [0, 1]', () => {
  const dimensions = [
    { type: 'integer', low: -3, high: 8 },
    { type: 'integer', low: 10, high: 99, step: 7 },
    { type: 'integer', low: 1, high: 200, scale: 'log' },
  ];
  for (const setting of dimensions.map(single)) {
    const values = setting.gridValues();
    assert.equal(values.length, setting.count);
    const edges = values.map((value) => setting.cellOf(value));
    assert.ok(Math.abs(edges[0]![0]) < 1e-12 && Math.abs(edges.at(-1)![1] - 1) < 1e-12);
    edges.slice(1).forEach(([from], i) => {
      assert.ok(Math.abs(from - edges[i]![1]) < 1e-12);
    });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (place) => {
        const [from, to] = setting.cellOf(setting.valueAt(place));
        assert.ok(place >= from - 1e-9 && place <= to + 1e-9);
      }),
    );
  }
});

test('a continuous value keeps its place to five digits and never leaves its range', () => {
  const linear = single({ type: 'uniform', low: 0.1, high: 0.7 });
  const logarithmic = single({ type: 'log-uniform', low: 1e-5, high: 30 });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (place) => {
      for (const [setting, low, high] of [
        [linear, 0.1, 0.7],
        [logarithmic, 1e-5, 30],
      ] as const) {
        const value = setting.valueAt(place);
        assert.ok(value >= low && value <= high);
        assert.ok(Math.abs(setting.cellOf(value)[0] - place) < 1e-4);
      }
    }),
  );
  assert.equal(logarithmic.valueAt(0.5).toPrecision(4), Math.sqrt(30e-5).toPrecision(4));
});

test('a setting with a condition gets a value only where the condition holds, wherever it stands in the space', () => {
  const settings = space({
    'optimizer.beta1': {
      type: 'uniform',
      low: 0.5,
      high: 0.9,
      when: { 'optimizer.type': ['adam', 'adamw'] },
    },
    'optimizer.type': { type: 'choice', values: ['sgd', 'adam', 'adamw'] },
  });
  const at = (type: string) =>
    buildPoint(settings, (setting) => (setting.path === 'optimizer.type' ? type : 0.7));
  assert.deepEqual(at('sgd'), { 'optimizer.type': 'sgd' });
  assert.deepEqual(at('adamw'), { 'optimizer.type': 'adamw', 'optimizer.beta1': 0.7 });
});

test('a grid takes every combination once, the last setting first, and conditions only where they hold', () => {
  assert.deepEqual(
    grid({
      'optimizer.type': { type: 'choice', values: ['sgd', 'adam'] },
      'optimizer.beta1': {
        type: 'uniform',
        low: 0,
        high: 1,
        levels: 3,
        when: { 'optimizer.type': ['adam'] },
      },
      'training.epochs': { type: 'integer', low: 1, high: 2 },
    }).map((point) => Object.values(point).join(' ')),
    ['sgd 1', 'sgd 2', 'adam 0 1', 'adam 0 2', 'adam 0.5 1', 'adam 0.5 2', 'adam 1 1', 'adam 1 2'],
  );
  assert.deepEqual(
    grid({ a: { type: 'log-uniform', low: 1, high: 100, levels: 3 } }).map(({ a }) => a),
    [1, 10, 100],
  );
  assert.deepEqual(
    grid({ a: { type: 'integer', low: 1, high: 9, levels: 3 } }).map(({ a }) => a),
    [1, 5, 9],
  );
  assert.deepEqual(grid({ a: { type: 'integer', low: 4, high: 4, scale: 'log' } }), [{ a: 4 }]);
});
