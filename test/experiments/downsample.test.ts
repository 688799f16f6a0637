import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downsample } from '../../src/experiments/downsample.js';

const curve = (count: number, value: (step: number) => number | null) =>
  Array.from({ length: count }, (_, step) => ({ step, value: value(step) }));

test('a curve that is short enough stays as it is', () => {
  const points = curve(5, Math.sin);
  assert.equal(downsample(points, 5), points);
});

test('first, last and a lonely peak survive, and there are as many points as asked for', () => {
  const points = curve(10_000, (step) => (step === 6543 ? 100 : Math.sin(step / 500)));
  for (const count of [3, 10, 101, 9999]) {
    const kept = downsample(points, count);
    assert.equal(kept.length, count);
    assert.equal(kept[0], points[0]);
    assert.equal(kept.at(-1), points.at(-1));
    assert.ok(kept.includes(points[6543]!), `${count} points have the peak`);
    assert.deepEqual(
      kept,
      kept.toSorted((a, b) => a.step - b.step),
    );
  }
  assert.deepEqual(downsample(points, 2), [points[0], points.at(-1)]);
});

test('values that are not finite do no harm', () => {
  const kept = downsample(
    curve(100, (step) => (step % 3 ? step : null)),
    10,
  );
  assert.equal(kept.length, 10);
  assert.equal(
    downsample(
      curve(100, () => null),
      10,
    ).length,
    10,
  );
});
