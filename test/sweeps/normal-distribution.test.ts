import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelledRandom } from '../../src/sweeps/labelled-random.js';
import { normalCdf } from '../../src/sweeps/normal-distribution.js';

test('the distribution function has the values of the tables', () => {
  // Abramowitz and Stegun 1964, table 26.1
  for (const [x, expected] of [
    [0, 0.5],
    [0.5, 0.691462461274013],
    [1, 0.841344746068543],
    [2, 0.977249868051821],
    [3, 0.99865010196837],
    [5, 0.999999713348428],
  ] as const) {
    assert.ok(Math.abs(normalCdf(x) - expected) < 1e-14, `${x}`);
    assert.ok(Math.abs(normalCdf(-x) - (1 - expected)) < 1e-14, `-${x}`);
  }
  assert.equal(normalCdf(40), 1);
  assert.equal(normalCdf(-40), 0);
});

test('random numbers depend on their labels alone and have the moments of their distributions', () => {
  const draws = (label: string) => {
    const random = new LabelledRandom(7, label);
    return Array.from({ length: 20_000 }, () => random.next());
  };
  assert.deepEqual(draws('a'), draws('a'));
  assert.notDeepEqual(draws('a').slice(0, 3), draws('b').slice(0, 3));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const uniform = draws('a');
  assert.ok(uniform.every((value) => value >= 0 && value < 1));
  assert.ok(Math.abs(mean(uniform) - 0.5) < 0.01, `${mean(uniform)}`); // five standard errors
  assert.ok(Math.abs(mean(uniform.map((value) => value ** 2)) - 1 / 3) < 0.011);
  const random = new LabelledRandom('normal');
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  assert.ok(Math.abs(mean(normal)) < 0.036, `${mean(normal)}`);
  assert.ok(Math.abs(mean(normal.map((value) => value ** 2)) - 1) < 0.05);
});
