import assert from 'node:assert/strict';
import { describe, it, mock, test } from 'node:test';
import { PLANNING_STEPS, stepsWithin, undisturbed } from '../../src/training/time-budget.js';
import { useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { eventsOf, runTrainer, tinyTraining } from '../support/tiny-training.js';

const SCHEDULE = { type: 'one-cycle', warmupFraction: 0.3 };
const STEP_MS = 10;

/** A clock that every look at moves on: a step, which looks twice, takes the same time on every machine. */
function useSteadyClock(stepMs = STEP_MS) {
  let now = 0;
  return mock.method(performance, 'now', () => {
    now += stepMs;
    return now;
  });
}

describe('stepsWithin', () => {
  const costs = { stepSeconds: 0.1, evaluationsPerStep: 0.1, evaluationSeconds: 1, maxSteps: 1e9 };

  it('leaves time for the evaluations', () => {
    assert.equal(stepsWithin(100, { ...costs, evaluationSeconds: 0 }), 1000);
    assert.equal(stepsWithin(100, costs), 500);
  });

  it('gives no more than the epochs have, and no fewer than were measured', () => {
    assert.equal(stepsWithin(100, { ...costs, maxSteps: 200 }), 200);
    assert.equal(stepsWithin(0.1, costs), PLANNING_STEPS);
  });
});

test('the undisturbed time of a step is not that of the first ones, nor of those with a pause', () => {
  const seconds = [0.03, 0.02, 0.5, ...Array.from({ length: 20 }, () => 0.01), 0.2, 0.009];
  assert.equal(undisturbed(seconds), 0.01);
  assert.equal(undisturbed([2]), 2);
});

describe('a training with a time budget', () => {
  useBackend();

  it('plans its steps once, ends with them, and brings the learning rate to its end there', async () => {
    const clock = useSteadyClock();
    try {
      const run = tinyTraining({ schedule: SCHEDULE, training: { epochs: 100_000, timeBudget: 1 } });
      const { events } = await runTrainer(run.trainer);
      const [end] = eventsOf(events, 'succeeded');
      assert.equal(end?.reason, 'steps');
      assert.ok(end.steps! >= PLANNING_STEPS && end.steps! < 100_000 / 2, `${end.steps} steps`);
      assert.ok(run.trainer.learningRate() < 1e-6);
      run.dispose();
    } finally {
      clock.mock.restore();
    }
  });

  it('is trained again by maxSteps, on a machine of any speed, to the same weights', async () => {
    const clock = useSteadyClock();
    const planned = tinyTraining({ schedule: SCHEDULE, training: { epochs: 100_000, timeBudget: 1 } });
    const first = eventsOf((await runTrainer(planned.trainer)).events, 'succeeded')[0]!;
    clock.mock.restore();
    const again = tinyTraining({ schedule: SCHEDULE, training: { epochs: 100_000, maxSteps: first.steps } });
    const second = eventsOf((await runTrainer(again.trainer)).events, 'succeeded')[0]!;
    assert.equal(second.digest, first.digest);
    planned.dispose();
    again.dispose();
  });

  it('keeps its plan when it is paused and goes on at another speed', async () => {
    const clock = useSteadyClock();
    const whole = tinyTraining({ schedule: SCHEDULE, training: { epochs: 100_000, timeBudget: 1 } });
    const left = eventsOf((await runTrainer(whole.trainer)).events, 'succeeded')[0]!;
    clock.mock.restore();
    const sink = new MemorySink();
    const options = { schedule: SCHEDULE, training: { epochs: 100_000, timeBudget: 1 }, sink };
    const steady = useSteadyClock();
    const begun = tinyTraining(options);
    await runTrainer(begun.trainer, () =>
      begun.trainer.progress.step >= PLANNING_STEPS + 3 ? 'pause' : null,
    );
    begun.dispose();
    steady.mock.restore();
    const slow = useSteadyClock(10 * STEP_MS);
    const resumed = tinyTraining(options);
    const end = eventsOf((await runTrainer(resumed.trainer)).events, 'succeeded')[0]!;
    slow.mock.restore();
    assert.equal(end.steps, left.steps);
    assert.equal(end.digest, left.digest);
    resumed.dispose();
    whole.dispose();
  });

  it('goes on past its plan when the budget is lifted', async () => {
    const sink = new MemorySink();
    const clock = useSteadyClock();
    const planned = tinyTraining({ training: { epochs: 100_000, timeBudget: 1 }, sink });
    const end = eventsOf((await runTrainer(planned.trainer)).events, 'succeeded')[0]!;
    clock.mock.restore();
    const { epoch } = planned.trainer.progress;
    planned.dispose();
    const longer = tinyTraining({ training: { epochs: epoch + 2 }, sink });
    const { events } = await runTrainer(longer.trainer);
    assert.equal(eventsOf(events, 'succeeded')[0]?.reason, 'epochs');
    assert.ok(longer.trainer.progress.step > end.steps!);
    assert.equal(eventsOf(events, 'epoch').at(-1)?.epoch, epoch + 2);
    longer.dispose();
  });

  it('ends after its epochs where they come first', async () => {
    const run = tinyTraining({ schedule: SCHEDULE, training: { epochs: 2, timeBudget: 3600 } });
    const { events } = await runTrainer(run.trainer);
    assert.equal(eventsOf(events, 'succeeded')[0]?.reason, 'epochs');
    run.dispose();
  });
});
