import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSobol, directionNumbers, tValue } from '../../src/sweeps/sobol.js';

const points = (dimensions: number, count: number, seed = 1) => {
  const sobol = createSobol(dimensions, seed);
  return Array.from({ length: count }, (_, index) => sobol(index));
};

test('in each of 37 dimensions the first 2^m points lie one in each of 2^m intervals', () => {
  for (const count of [2, 16, 128]) {
    const all = points(37, count);
    for (let dimension = 0; dimension < 37; dimension++) {
      const intervals = new Set(all.map((point) => Math.floor(point[dimension]! * count)));
      assert.equal(intervals.size, count, `${count} points, dimension ${dimension}`);
    }
  }
});

test('the first two dimensions are a (0, m, 2)-net: each elementary interval holds one point', () => {
  const all = points(2, 64, 7);
  for (let rows = 0; rows <= 6; rows++) {
    const cells = new Set(
      all.map(([x, y]) => `${Math.floor(x! * 2 ** rows)} ${Math.floor(y! * 2 ** (6 - rows))}`),
    );
    assert.equal(cells.size, 64, `${2 ** rows} columns`);
  }
});

test('no two of the first 12 dimensions fall on lines: t is at most 4 for 256 points', () => {
  const numbers = directionNumbers(12);
  const worst = numbers.flatMap((one, i) => numbers.slice(0, i).map((other) => tValue(one, other, 8)));
  assert.ok(Math.max(...worst) <= 4, `${Math.max(...worst)}`);
});

test('the mean of a smooth function over 256 points is nearer than independent points would be', () => {
  const integrand = (x: readonly number[]) => x.reduce((product, value) => product * 2 * value, 1); // integral 1
  const independentError = Math.sqrt(((4 / 3) ** 6 - 1) / 256);
  for (let seed = 0; seed < 10; seed++) {
    const mean = points(6, 256, seed).reduce((sum, point) => sum + integrand(point), 0) / 256;
    assert.ok(Math.abs(mean - 1) < independentError, `seed ${seed}: ${mean}`);
  }
});

test('the same seed gives the same points, another seed others, and all lie inside (0, 1)', () => {
  assert.deepEqual(points(5, 10, 3), points(5, 10, 3));
  assert.notDeepEqual(points(5, 10, 3), points(5, 10, 4));
  assert.ok(points(5, 100, 3).every((point) => point.every((value) => value > 0 && value < 1)));
});
