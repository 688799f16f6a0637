import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepExtremes } from '../../src/experiments/keep-extremes.js';

const curve = (values: readonly (number | null)[]) => values.map((value, step) => ({ step, value }));

test('a curve that is short enough stays as it is, and two points are its ends', () => {
  const points = curve([3, 1, 2, 5]);
  assert.equal(keepExtremes(points, 4), points);
  assert.deepEqual(keepExtremes(points, 2), [points[0], points[3]]);
});

test('the lowest and the highest value survive, in order, in no more points than asked for', () => {
  const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 3, maxLength: 400 }),
      fc.integer({ min: 4, max: 60 }),
      (values, count) => {
        const points = curve(values);
        const kept = keepExtremes(points, count);
        assert.ok(kept.length <= Math.max(count, 2));
        assert.equal(kept[0], points[0]);
        assert.equal(kept.at(-1), points.at(-1));
        assert.ok(kept.every(({ step }, index) => index === 0 || step > kept[index - 1]!.step));
        const finite = (of: readonly { value: number | null }[]) => of.flatMap(({ value }) => value ?? []);
        assert.equal(Math.min(...finite(kept)), Math.min(...finite(points)));
        assert.equal(Math.max(...finite(kept)), Math.max(...finite(points)));
      },
    ),
  );
});

test('every one of several peaks survives where each is in a part of its own', () => {
  const peaks = new Set([1234, 5000, 5040, 9998]);
  const points = curve(Array.from({ length: 10_000 }, (_, step) => (peaks.has(step) ? 50 + step : step % 7)));
  const kept = new Set(keepExtremes(points, 5002).map(({ step }) => step));
  assert.deepEqual(
    [...peaks].filter((step) => !kept.has(step)),
    [],
  );
});
