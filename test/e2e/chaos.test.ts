/** A small version of bench/chaos.ts: the same promises under fewer kills. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChaos } from '../../bench/chaos-run.js';

test('kills of server and host lose no event, leave no gap, and change no bit of the weights', async (context) => {
  const report = await runChaos({
    kills: 5,
    seed: 4,
    experiments: 2,
    maxPauseMs: 2500,
    epochs: 12,
    log: (line) => context.diagnostic(line),
  });
  assert.deepEqual(report.violations, []);
  assert.ok(report.kills.server > 0 && report.kills.host > 0);
  assert.ok(report.killsWhileTraining > 0);
  for (const { digest, digestLeftAlone, attempts } of report.experiments) {
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.equal(digest, digestLeftAlone);
    assert.ok(attempts >= 1);
  }
});
