/** What a page knows of an experiment that it follows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Experiment } from '../../src/contracts/experiment.js';
import { afterEvent } from '../../web/logic/after-event.js';
import type { LiveEvent } from '../../web/logic/live-events.js';
import { applyEvent, createLiveRun, KEPT_SAMPLES } from '../../web/logic/live-run.js';

test('an epoch says what the experiment is after it; a change of state has to be read', () => {
  const before = {
    seq: 1,
    latest: { epoch: 1, step: 10, remainingSeconds: 9 },
    best: { epoch: 1, validPerplexity: 50, validBitsPerByte: 2 },
  } as Experiment;
  const figures = { trainPerplexity: 3, validPerplexity: 40, validBitsPerByte: 1.5 };
  const rates = { learningRate: 1, tokensPerSecond: 100, gradNorm: 2, remainingSeconds: 5 };
  const epoch = (isBest: boolean): LiveEvent => ({
    ...{ seq: 2, type: 'epoch', time: '' },
    data: { epoch: 2, step: 20, trainLoss: 1, validLoss: 1, seconds: 4, ...figures, ...rates, isBest },
  });
  const better = afterEvent(before, epoch(true))!;
  assert.deepEqual(better.latest, { epoch: 2, step: 20, ...figures, ...rates });
  assert.deepEqual(better.best, { epoch: 2, validPerplexity: 40, validBitsPerByte: 1.5 });
  assert.equal(better.seq, 2);
  assert.deepEqual(afterEvent(before, epoch(false))!.best, before.best);
  assert.equal(afterEvent(before, { seq: 2, type: 'paused', time: '', data: {} }), null);
});

test('of the events of a long training the latest are kept, and all texts are counted', () => {
  const run = createLiveRun(0);
  for (let seq = 1; seq <= 5000; seq++)
    applyEvent(run, { seq, type: seq % 2 ? 'sample' : 'checkpoint', time: '', data: {} });
  assert.ok(run.events.length < 1000);
  assert.equal(run.sampleCount, 2500);
  assert.deepEqual(
    run.events.filter(({ type }) => type === 'sample').map(({ seq }) => seq),
    Array.from({ length: KEPT_SAMPLES }, (_, index) => 4999 - 2 * (KEPT_SAMPLES - 1 - index)),
  );
});

test('a curve that is thinned again and again keeps its peaks, and as many points of its beginning as of its end', () => {
  const run = createLiveRun(0);
  const STEPS = 20_000;
  for (let seq = 1; seq <= STEPS; seq++)
    applyEvent(run, {
      ...{ seq, type: 'step', time: '' },
      data: { step: seq, epoch: 0, trainPerplexity: seq === 777 ? 1e6 : seq % 13 },
    });
  const points = run.series.get('stepPerplexity')!;
  assert.ok(points.some(({ step, value }) => step === 777 && value === 1e6));
  const thirds = [0, 1].map(
    (third) => points.filter(({ step }) => Math.floor((3 * step) / (STEPS + 1)) === third).length,
  );
  assert.ok(Math.abs(thirds[0]! - thirds[1]!) < 0.1 * thirds[1]!, `${thirds} points`);
});
