import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fromHostTensors } from '../../src/checkpoints/host-tensors.js';
import { importFromPyTorch } from '../../src/checkpoints/pytorch-import.js';
import { decodeSafetensors } from '../../src/checkpoints/safetensors.js';
import { evaluateDynamically } from '../../src/evaluation/dynamic-evaluation.js';
import type { DynamicEvaluation } from '../../src/evaluation/dynamic-model.js';
import { GradientStatistics } from '../../src/evaluation/gradient-statistics.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { readFixture } from '../support/fixture.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** PyTorch computed in float64, gatelm in float32; relative to R, and absolute in nats. */
const TOLERANCE = 2e-5;

interface Case extends Omit<DynamicEvaluation, 'segmentLength'> {
  readonly statisticsBatches: number | null;
  /** Of each prediction, in nats. */
  readonly losses: readonly number[];
  /** mean(R) */
  readonly mean: number;
}

const FIXTURE = readFixture<{
  version: number;
  segmentLength: number;
  train: number[];
  ids: number[];
  cases: Case[];
}>('pytorch-dynamic-evaluation', 1);

function model(): LanguageModel {
  const file = 'pytorch-word-lm-joint.safetensors';
  const bytes = readFileSync(new URL(`../../../test/fixtures/${file}`, import.meta.url));
  const { modelConfig, vocabularySize, weights } = importFromPyTorch(decodeSafetensors(bytes, file).tensors);
  return createModel(modelConfig, vocabularySize, {
    kernels: testKernels(),
    seed: 0,
    precision: 'float32',
    weights: fromHostTensors(weights),
  });
}

describe('dynamic evaluation, beside PyTorch', () => {
  useBackend();
  const { segmentLength } = FIXTURE;
  const [train, ids] = [Int32Array.from(FIXTURE.train), Int32Array.from(FIXTURE.ids)];

  for (const kernels of KERNELS) {
    for (const expected of FIXTURE.cases) {
      const { rule, learningRate, decay, epsilon, statisticsBatches: batches } = expected;
      const name = `${rule}, η ${learningRate}, λ ${decay}, statistics of ${batches ?? 'all'} batches`;
      it(`has its loss after every segment: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const net = model();
            const statistics = GradientStatistics.collect(net, train, { segmentLength, batches });
            assert.ok(Math.abs(statistics.mean / expected.mean - 1) < TOLERANCE);
            const options = { rule, learningRate, decay, epsilon, segmentLength };
            for (let tokens = segmentLength; tokens < ids.length; tokens += segmentLength) {
              const { loss } = evaluateDynamically(net, ids.subarray(0, tokens + 1), options, statistics);
              const mean = expected.losses.slice(0, tokens).reduce((sum, one) => sum + one, 0) / tokens;
              assert.ok(Math.abs(loss - mean) < TOLERANCE, `${tokens} tokens: ${loss}, PyTorch ${mean}`);
            }
            statistics.dispose();
            net.dispose();
          }),
        ));
    }
  }
});
