import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EPOCHS_WITHOUT_IMPROVEMENT, epochWarning, JUDGED_FROM } from '../../src/training/epoch-warning.js';
import { INITIAL_PROGRESS } from '../../src/training/trainer-progress.js';
import { useBackend } from '../support/backend.js';
import { eventsOf, runTrainer, tinyTraining } from '../support/tiny-training.js';

const VOCABULARY = 1000;
const STEPS_PER_EPOCH = JUDGED_FROM.step;
const GUESS = Math.log(VOCABULARY);

/** The kinds of warnings after each of these validation losses. */
function kindsOf(losses: readonly number[]): (string | null)[] {
  return losses.map((loss, index) => {
    const seen = losses.slice(0, index + 1);
    const bestValidLoss = Math.min(...seen);
    const progress = {
      ...INITIAL_PROGRESS,
      epoch: index + 1,
      step: STEPS_PER_EPOCH * (index + 1),
      bestEpoch: seen.indexOf(bestValidLoss) + 1,
      bestValidLoss,
      lastValidLoss: loss,
    };
    return epochWarning(progress, losses[index - 1] ?? null, VOCABULARY)?.data.kind ?? null;
  });
}

describe('epochWarning', () => {
  it('is silent while the validation loss falls, or rises a little', () => {
    assert.deepEqual(kindsOf([5, 4.5, 4.2, 4.25, 4.1]), [null, null, null, null, null]);
  });

  it('tells once that the loss has not improved for some epochs, and again after a better one', () => {
    const flat = Array(EPOCHS_WITHOUT_IMPROVEMENT).fill(4.6);
    const kinds = kindsOf([5, 4.5, ...flat, 4.7, 4.4, ...flat]);
    assert.deepEqual(kinds, [
      null,
      null,
      null,
      null,
      'no-improvement',
      null,
      null,
      null,
      null,
      'no-improvement',
    ]);
  });

  it('tells when nothing was learned by the second epoch', () => {
    assert.deepEqual(kindsOf([GUESS, GUESS - 0.01, GUESS - 0.02]), [null, 'no-learning', null]);
  });

  it('tells once that a training diverges, also when its first epoch is worse than guessing', () => {
    assert.deepEqual(kindsOf([5, 4.5, 5.6, 5.8]), [null, null, 'diverging', null]);
    assert.deepEqual(kindsOf([GUESS + 2, GUESS + 3]), ['diverging', 'no-learning']);
  });
});

describe('a training', () => {
  useBackend();

  it('says as an event after the epoch that it does not learn', async () => {
    const run = tinyTraining({ optimizer: { type: 'sgd', learningRate: 1e-9 }, training: { epochs: 14 } });
    const { events } = await runTrainer(run.trainer);
    const [warning, ...others] = eventsOf(events, 'warning').filter(({ kind }) => kind === 'no-learning');
    assert.equal(warning?.epoch, 13);
    assert.match(warning.advice, /learningRate/);
    assert.deepEqual(others, []);
    run.dispose();
  });
});
