import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepProfile } from '../../bench/gatelm-profile.js';
import { runGatelm } from '../../bench/side.js';
import type { Workload } from '../../bench/workload.js';

const TINY: Workload = {
  name: 'tiny',
  task: 'train',
  vocabularySize: 50,
  embeddingSize: 8,
  hiddenSizes: [16],
  tied: false,
  dropout: 0,
  awd: false,
  batchSize: 3,
  time: 5,
  steps: 2,
  threads: 1,
};

test('a profile counts the operations of each product, and no more time than the step took', async (t) => {
  const [line] = await runGatelm('./gatelm-profile.js', TINY, 'float32');
  const { mode, seconds, tokens, ops } = JSON.parse(line!) as StepProfile;
  if (!mode.startsWith('fused')) return t.skip('no fused kernels here');
  const flop = Object.fromEntries(ops.map((op) => [op.op, op.flop]));
  assert.equal(tokens, 15);
  assert.equal(flop.GatelmLstm, 2 * 15 * 64 * (8 + 16));
  assert.equal(flop.GatelmLstmGrad, 2 * flop.GatelmLstm!);
  assert.equal(flop.GatelmSoftmaxLossGrad, 3 * 2 * 15 * 16 * 50);
  assert.ok(ops.reduce((sum, op) => sum + op.seconds, 0) <= seconds);
});
