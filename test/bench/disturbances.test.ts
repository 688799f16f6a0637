import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDisturbances } from '../../bench/disturbances.js';

const OPTIONS = {
  seed: 1,
  trainers: 3,
  cutSeconds: [10, 300, 60],
  trainerKills: 8,
  redisKills: 4,
  serverKills: 3,
  gapSeconds: 5,
};

test('the same seed plans the same disturbances, another seed others', () => {
  assert.deepEqual(planDisturbances(OPTIONS), planDisturbances(OPTIONS));
  assert.notDeepEqual(planDisturbances({ ...OPTIONS, seed: 2 }), planDisturbances(OPTIONS));
});

test('a plan has all that was asked for, the longest cut first', () => {
  const plan = planDisturbances(OPTIONS);
  const count = (wanted: string) => plan.filter(({ kind }) => kind === wanted).length;
  assert.deepEqual(['cut-trainer', 'kill-trainer', 'kill-redis', 'kill-server'].map(count), [3, 8, 4, 3]);
  assert.equal(plan[0]!.seconds, 300);
  assert.ok(plan.every(({ kind, trainer }) => kind.endsWith('trainer') === (trainer !== null)));
});

test('nothing is disturbed before it is back', () => {
  const backAt = new Map<string, number>();
  for (const { atSeconds, kind, trainer, seconds } of planDisturbances(OPTIONS)) {
    const name = trainer === null ? kind : `trainer ${trainer}`;
    assert.ok(atSeconds >= (backAt.get(name) ?? 0), `${name} at ${atSeconds} s`);
    backAt.set(name, atSeconds + seconds);
  }
});
