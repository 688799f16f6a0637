import assert from 'node:assert/strict';
import { describe, it, mock, test } from 'node:test';
import { type FirstPlan, TrainerProgress } from '../../src/contracts/trainer-progress.js';
import { TrainingConfig } from '../../src/contracts/training.js';
import { Horizon } from '../../src/training/horizon.js';
import {
  correctedSteps,
  correctionStep,
  fractionOfPlan,
  measure,
  measuredStepSeconds,
  PLANNING_STEPS,
  stepsWithin,
  undisturbed,
} from '../../src/training/time-budget.js';
import {
  clearEpochSums,
  countEpoch,
  countStep,
  INITIAL_PROGRESS,
} from '../../src/training/trainer-progress.js';
import { useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { eventsOf, runTrainer, type TinyTraining, tinyTraining } from '../support/tiny-training.js';

const SCHEDULE = { type: 'one-cycle', warmupFraction: 0.3 };
const STEP_MS = 10;

/** A clock that every look at moves on: a step, which looks twice, takes the same time on every machine. */
function useClock(stepMs: (look: number) => number) {
  let [now, looks] = [0, 0];
  return mock.method(performance, 'now', () => {
    now += stepMs(looks++);
    return now;
  });
}

const useSteadyClock = (stepMs = STEP_MS) => useClock(() => stepMs);

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

describe('the correction of a plan', () => {
  const costs = { stepSeconds: 0.1, evaluationsPerStep: 0.1, evaluationSeconds: 1, maxSteps: 1e9 };

  it('comes after a tenth of it, and after as many steps as the first plan had', () => {
    assert.deepEqual([100, 600, 601, 3000].map(correctionStep), [60, 60, 61, 300]);
  });

  it('adds the steps that fit into the rest of the time, and leaves the learning rate time to fall', () => {
    assert.equal(correctedSteps(100, 1000, costs), 100 + 500);
    assert.equal(correctedSteps(100, 1000, { ...costs, maxSteps: 300 }), 300);
    assert.equal(correctedSteps(-5, 1000, costs), 200);
    assert.equal(correctedSteps(-5, 100, costs), 100);
  });

  it('counts what steps cost from time to time, and not what disturbs a part of them', () => {
    const measured = (secondsOf: (step: number) => number) => {
      let [plan, seconds] = [{ steps: 3000, seconds: [5] } as FirstPlan, 5];
      for (let step = PLANNING_STEPS + 1; step <= 300; step++) {
        seconds += secondsOf(step);
        plan = measure(plan, step, seconds);
      }
      return measuredStepSeconds(plan);
    };
    const TOLERANCE = 1e-9; // of sums
    assert.ok(Math.abs(measured(() => 0.01) - 0.01) < TOLERANCE);
    assert.ok(Math.abs(measured((step) => (step % 5 === 0 ? 0.02 : 0.01)) - 0.012) < TOLERANCE);
    assert.ok(Math.abs(measured((step) => (step > 200 ? 0.1 : 0.01)) - 0.01) < TOLERANCE);
  });

  it('makes no jump in the part that is done, and ends at the whole', () => {
    for (const [firstSteps, steps] of [
      [300, 2730],
      [3000, 2000],
      [61, 61],
    ] as const) {
      const fractions = Array.from({ length: steps }, (_, step) =>
        fractionOfPlan(step + 1, { steps, firstSteps }),
      );
      const largest = 1.01 * Math.max(1 / firstSteps, 1 / (steps - correctionStep(firstSteps)));
      for (let step = PLANNING_STEPS; step < steps; step++) {
        const rise = fractions[step]! - fractions[step - 1]!;
        assert.ok(rise > 0 && rise <= largest, `${rise} at step ${step} of ${firstSteps} → ${steps}`);
      }
      assert.ok(Math.abs(fractions.at(-1)! - 1) < Number.EPSILON);
    }
  });

  it('leads straight to the steps where the first plan is missing or too short', () => {
    for (const firstSteps of [null, 60]) assert.equal(fractionOfPlan(100, { steps: 400, firstSteps }), 0.25);
    assert.equal(fractionOfPlan(50, { steps: 50, firstSteps: 1000 }), 0.05);
  });
});

test('the undisturbed time of a step is not that of the first ones, nor of those with a pause', () => {
  const seconds = [0.03, 0.02, 0.5, ...Array.from({ length: 20 }, () => 0.01), 0.2, 0.009];
  assert.equal(undisturbed(seconds), 0.01);
  assert.equal(undisturbed([2]), 2);
});

const BATCH = { batchSize: 4, bpttLength: 8 };
const TOKENS = BATCH.batchSize * BATCH.bpttLength;

interface FakeTimes {
  readonly timeBudget: number;
  /** Seconds of each step, counted from 1. */
  readonly secondsOf: (step: number) => number;
  readonly stepsPerEpoch?: number;
  readonly evaluationSeconds?: number;
  /** To go on from. */
  readonly from?: TrainerProgress;
  /** What becomes of the progress after each step: it is saved and read again, or not. */
  readonly resume?: (progress: TrainerProgress) => TrainerProgress;
}

/** Counts and plans as the trainer does, with times that are given, to the last step. */
function planWith({
  timeBudget,
  secondsOf,
  stepsPerEpoch = 100_000,
  evaluationSeconds = 0,
  ...rest
}: FakeTimes) {
  const training = TrainingConfig.parse({ ...BATCH, epochs: 1000, timeBudget });
  const streamLength = stepsPerEpoch * BATCH.bpttLength;
  const horizon = new Horizon(training, { streamLength, stepsPerEpoch, validTokens: 0 });
  let progress = rest.from ?? { ...INITIAL_PROGRESS };
  const [fractions, remaining]: [number[], (number | null)[]] = [[], []];
  while (!horizon.limitReached(progress)) {
    const seconds = secondsOf(progress.step + 1);
    const figures = { loss: 1, tokens: TOKENS, gradNorm: 1, learningRate: 1, seconds };
    countStep(progress, figures, progress.position + BATCH.bpttLength);
    horizon.plan(progress, figures);
    if (progress.position === streamLength) {
      countEpoch(progress, 1, evaluationSeconds);
      clearEpochSums(progress);
    }
    progress = rest.resume?.(progress) ?? progress;
    fractions.push(horizon.fraction(progress));
    remaining.push(horizon.completion(progress).remainingSeconds);
  }
  return { progress, fractions, remaining };
}

const saveAndRead = (progress: TrainerProgress) =>
  TrainerProgress.parse(JSON.parse(JSON.stringify(progress)));

describe('the plan of a time budget', () => {
  const timeBudget = 30;
  const even = planWith({ timeBudget, secondsOf: () => 0.01 });

  it('fills the time on an even machine', () => {
    assert.equal(even.progress.firstPlan?.steps, 3000);
    assert.ok(Math.abs(even.progress.step - 3000) <= 1, `${even.progress.step}`);
    assert.ok(Math.abs(even.progress.totalSeconds - timeBudget) < 0.1);
  });

  it('does not depend on what disturbs the first steps', () => {
    const { progress } = planWith({ timeBudget, secondsOf: (step) => (step <= 30 ? 0.1 : 0.01) });
    assert.equal(progress.firstPlan?.steps, 300);
    assert.ok(Math.abs(progress.step / even.progress.step - 1) < 0.1, `${progress.step} steps`);
    assert.ok(Math.abs(progress.totalSeconds - timeBudget) < 0.1, `${progress.totalSeconds} s`);
  });

  it('does not depend on what disturbs some of the steps after them', () => {
    const { progress } = planWith({
      timeBudget,
      secondsOf: (step) => (step > 50 && step <= 150 ? 0.02 : 0.01),
    });
    assert.ok(Math.abs(progress.step / even.progress.step - 1) < 0.05, `${progress.step} steps`);
  });

  it('is corrected after a beginning that was too fast', () => {
    const { progress } = planWith({ timeBudget: 600, secondsOf: (step) => (step <= 100 ? 0.05 : 0.06) });
    assert.equal(progress.firstPlan?.steps, 12_000);
    assert.ok(Math.abs(progress.totalSeconds / 600 - 1) < 0.01, `${progress.totalSeconds} s`);
  });

  it('has room for the evaluations as they turn out', () => {
    const times = { timeBudget, secondsOf: () => 0.01, stepsPerEpoch: 10, evaluationSeconds: 0.05 };
    const { progress } = planWith(times);
    assert.ok(Math.abs(progress.totalSeconds / timeBudget - 1) < 0.03, `${progress.totalSeconds} s`);
  });

  it('says how much time is left by the steps since the first plan', () => {
    const { remaining, progress } = planWith({ timeBudget, secondsOf: (step) => (step <= 30 ? 0.1 : 0.01) });
    const left = (progress.step - 1000) * 0.01;
    assert.ok(Math.abs(remaining[1000 - 1]! / left - 1) < 0.01, `${remaining[1000 - 1]} s, not ${left}`);
    assert.equal(remaining.at(-1), 0);
  });

  it('is the same to the bit after every step where the training is killed and goes on', () => {
    const secondsOf = (step: number) => 0.01 + 0.001 * Math.sin(step);
    const times = { timeBudget: 8, secondsOf, stepsPerEpoch: 37, evaluationSeconds: 0.013 };
    const whole = planWith(times);
    assert.ok(
      whole.progress.firstPlan !== null && whole.progress.plannedSteps !== whole.progress.firstPlan.steps,
    );
    assert.deepEqual(planWith({ ...times, resume: saveAndRead }), whole);
    for (const killedAfter of [29, 30, 31, 59, 60, 61, 77, 78]) {
      let saved: TrainerProgress | undefined;
      const keep = (progress: TrainerProgress) => {
        if (progress.step === killedAfter) saved = saveAndRead(progress);
        return progress;
      };
      planWith({ ...times, resume: keep });
      assert.deepEqual(planWith({ ...times, from: saved! }).progress, whole.progress);
    }
  });

  it('stays as it is if an earlier version made it, and is made anew if that had none yet', () => {
    const { evaluationSeconds: _, firstPlan: __, ...old } = INITIAL_PROGRESS;
    const planned = TrainerProgress.parse({ ...old, step: 40, totalSeconds: 0.4, plannedSteps: 200 });
    const { progress, fractions } = planWith({ timeBudget, secondsOf: () => 0.01, from: planned });
    assert.equal(progress.step, 200);
    assert.equal(fractions[100 - 41], 0.5);
    const measuredSeconds = Array.from({ length: 15 }, () => 0.01);
    const unplanned = TrainerProgress.parse({ ...old, step: 20, totalSeconds: 0.2, measuredSeconds });
    const begun = planWith({ timeBudget, secondsOf: () => 0.01, from: unplanned });
    assert.deepEqual(begun.progress.firstPlan?.steps, 3000);
    assert.ok(Math.abs(begun.progress.totalSeconds - timeBudget) < 0.1);
  });
});

describe('a training with a time budget', () => {
  useBackend();

  const training = { epochs: 100_000, timeBudget: 2 };
  /** Longer than the looks of the first plan. */
  const SLOW_LOOKS = 120;

  /** Trains under a clock, to the end or until it is paused. */
  async function trainUnder(clock: ReturnType<typeof useClock>, options: TinyTraining, pauseAfter = 1e9) {
    const run = tinyTraining({ schedule: SCHEDULE, ...options });
    try {
      const { events } = await runTrainer(run.trainer, (step) => (step >= pauseAfter ? 'pause' : null));
      return { end: eventsOf(events, 'succeeded')[0]!, learningRate: run.trainer.learningRate() };
    } finally {
      run.dispose();
      clock.mock.restore();
    }
  }

  it('plans its steps, ends with them, and brings the learning rate to its end there', async () => {
    const { end, learningRate } = await trainUnder(useSteadyClock(), { training });
    assert.equal(end.reason, 'steps');
    assert.equal(end.steps, end.plannedSteps);
    assert.ok(end.firstPlannedSteps! >= PLANNING_STEPS && end.steps! < 100_000 / 2, `${end.steps} steps`);
    assert.ok(learningRate < 1e-6);
  });

  it('is trained again by maxSteps and firstPlannedSteps, on a machine of any speed, to the same weights', async () => {
    const clock = useClock((look) => (look < SLOW_LOOKS ? 1.5 * STEP_MS : STEP_MS));
    const first = await trainUnder(clock, { training });
    const { steps: maxSteps, firstPlannedSteps, digest } = first.end;
    assert.ok(maxSteps! > 1.2 * firstPlannedSteps!, `${firstPlannedSteps} steps corrected to ${maxSteps}`);
    const again = { epochs: 100_000, maxSteps, firstPlannedSteps };
    const second = await trainUnder(useSteadyClock(7 * STEP_MS), { training: again });
    assert.equal(second.end.digest, digest);
    const straight = await trainUnder(useSteadyClock(), { training: { ...again, firstPlannedSteps: null } });
    assert.notEqual(straight.end.digest, digest);
  });

  it('has the plan of a training without interruption wherever it is paused and goes on', async () => {
    const whole = await trainUnder(useSteadyClock(), { training });
    const correction = correctionStep(whole.end.firstPlannedSteps!);
    for (const step of [PLANNING_STEPS, PLANNING_STEPS + 3, correction - 1, correction, correction + 1]) {
      const sink = new MemorySink();
      await trainUnder(useSteadyClock(), { training, sink }, step);
      const { end } = await trainUnder(useSteadyClock(), { training, sink });
      assert.deepEqual([end.steps, end.digest], [whole.end.steps, whole.end.digest], `after step ${step}`);
    }
  });

  it('keeps its corrected plan when it is paused and goes on at another speed', async () => {
    const whole = await trainUnder(useSteadyClock(), { training });
    const sink = new MemorySink();
    const correction = correctionStep(whole.end.firstPlannedSteps!);
    await trainUnder(useSteadyClock(), { training, sink }, correction);
    const { end } = await trainUnder(useSteadyClock(10 * STEP_MS), { training, sink });
    assert.equal(end.steps, whole.end.steps);
    assert.equal(end.digest, whole.end.digest);
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
