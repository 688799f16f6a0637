import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SweepSpace, SweepStopping, SweepStrategy } from '../../src/contracts/sweep.js';
import type { TrialLimit } from '../../src/contracts/sweep-record.js';
import { createProposer } from '../../src/sweeps/create-proposer.js';
import { createStoppingRule } from '../../src/sweeps/create-stopping-rule.js';
import { createSearchSpace } from '../../src/sweeps/search-space.js';
import { SweepSchedule, type TrialProgress } from '../../src/sweeps/sweep-schedule.js';

const EPOCHS = 9;
const SPACE = createSearchSpace(
  SweepSpace.parse({
    rate: { type: 'log-uniform', low: 0.001, high: 10 },
    size: { type: 'choice', values: ['small', 'large'] },
  }),
);

interface Options {
  readonly stopping?: unknown;
  readonly limits?: readonly TrialLimit[];
  readonly parallel?: number;
}

function schedule({ stopping = { type: 'asha' }, limits, parallel = 3 }: Options = {}): SweepSchedule {
  return new SweepSchedule({
    proposer: createProposer(SweepStrategy.parse({ type: 'tpe', startupTrials: 5 }), SPACE, 1),
    rule: createStoppingRule(SweepStopping.parse(stopping), EPOCHS),
    epochsOf: () => EPOCHS,
    parallel,
    limits: limits ?? [{ afterRungs: 0, trials: 20 }],
  });
}

/** A training that gives one epoch after another when told; its curve falls to a value that its point decides. */
class Trainings {
  readonly done = new Map<number, number>();

  progress(sweep: SweepSchedule, index: number): TrialProgress {
    const values = Array.from({ length: this.done.get(index) ?? 0 }, (_, epoch) =>
      curve(sweep, index, epoch),
    );
    return { values, isOver: values.length === EPOCHS, hasFailed: false };
  }

  /** Trains one of the running trials, chosen by a number, for an epoch. */
  trainOne(sweep: SweepSchedule, choice: number): void {
    const running = sweep.trials.filter(
      ({ index, phase, toEpoch }) => phase === 'running' && (this.done.get(index) ?? 0) < toEpoch,
    );
    const { index } = running[choice % running.length]!;
    this.done.set(index, (this.done.get(index) ?? 0) + 1);
  }
}

function curve(sweep: SweepSchedule, index: number, epoch: number): number {
  const { point } = sweep.trials[index]!;
  const distance = Math.abs(Math.log10((point.rate as number) / 0.3));
  return distance + (point.size === 'large' ? 0 : 0.5) + 1 / (epoch + 1);
}

/** Runs a sweep to its end, training in an order that the choices decide. */
function complete(
  sweep: SweepSchedule,
  choices: Iterator<number>,
  trainings = new Trainings(),
): SweepSchedule {
  while (!sweep.isDone) {
    trainings.trainOne(sweep, choices.next().value);
    sweep.advance((index) => trainings.progress(sweep, index));
  }
  return sweep;
}
function* inTurn(numbers: readonly number[] = [0]): Generator<number, number> {
  for (;;) yield* numbers;
}
const outline = (sweep: SweepSchedule) =>
  sweep.trials.map(({ point, toEpoch, phase }) => ({ point, toEpoch, phase }));

for (const stopping of [{ type: 'none' }, { type: 'asha' }, { type: 'median', minimumTrials: 3 }]) {
  test(`with stopping ${stopping.type}, which training is ready first changes nothing`, () => {
    const expected = outline(complete(schedule({ stopping }), inTurn()));
    assert.equal(expected.length, 20);
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 5, maxLength: 30 }), (choices) => {
        assert.deepEqual(outline(complete(schedule({ stopping }), inTurn(choices))), expected);
      }),
      { numRuns: 15 },
    );
  });
}

test('a sweep that is built anew from what was trained goes on where it was', () => {
  const expected = outline(complete(schedule(), inTurn()));
  const trainings = new Trainings();
  let sweep = schedule();
  for (let epoch = 0; !sweep.isDone; epoch++) {
    trainings.trainOne(sweep, epoch);
    sweep.advance((index) => trainings.progress(sweep, index));
    if (epoch % 7 !== 0) continue;
    const before = outline(sweep);
    sweep = schedule();
    sweep.advance((index) => trainings.progress(sweep, index));
    assert.deepEqual(outline(sweep), before);
  }
  assert.deepEqual(outline(sweep), expected);
});

test('asha trains few trials to the end, the best one among them, and no epoch twice', () => {
  const trainings = new Trainings();
  const sweep = complete(schedule(), inTurn(), trainings);
  const at = (epochs: number) => sweep.trials.filter(({ toEpoch }) => toEpoch >= epochs);
  assert.equal(at(1).length, 20);
  assert.ok(at(3).length >= 6 && at(3).length <= 10, `${at(3).length} at the second rung`); // 20 / 3, and early ones
  assert.ok(at(9).length >= 2 && at(9).length <= 4, `${at(9).length} at the end`);
  const epochs = [...trainings.done.values()].reduce((sum, done) => sum + done, 0);
  assert.equal(epochs, 20 + at(3).length * 2 + at(9).length * 6);
  const start = ({ index }: { readonly index: number }) => curve(sweep, index, 0);
  assert.equal(Math.min(...at(9).map(start)), Math.min(...sweep.trials.map(start)));
});

test('never more trials run than slots are there', () => {
  const trainings = new Trainings();
  const sweep = schedule({ parallel: 4 });
  while (!sweep.isDone) {
    assert.ok(sweep.trials.filter(({ phase }) => phase === 'running').length <= 4);
    trainings.trainOne(sweep, 1);
    sweep.advance((index) => trainings.progress(sweep, index));
  }
});

test('an extended sweep tries what a larger one would have gone on with, and is rebuilt exactly', () => {
  const trainings = new Trainings();
  const first = complete(schedule(), inTurn(), trainings);
  const limits = [
    { afterRungs: 0, trials: 20 },
    { afterRungs: first.rungsJudged, trials: 32 },
  ];
  const extended = schedule({ limits });
  extended.advance((index) => trainings.progress(extended, index));
  assert.deepEqual(
    extended.trials.slice(0, 20).map(({ point }) => point),
    first.trials.map(({ point }) => point),
  );
  complete(extended, inTurn(), trainings);
  assert.equal(extended.trials.length, 32);
  const rebuilt = schedule({ limits });
  rebuilt.advance((index) => trainings.progress(rebuilt, index));
  assert.deepEqual(outline(rebuilt), outline(extended));
});

test('a failed or short training ends its trial, and the slot goes to the next one', () => {
  const sweep = schedule({ parallel: 1, limits: [{ afterRungs: 0, trials: 3 }], stopping: { type: 'none' } });
  const progress = (index: number): TrialProgress => {
    if (index === 0) return { values: [2], isOver: true, hasFailed: true };
    if (index === 1) return { values: [2, Number.NaN], isOver: true, hasFailed: false };
    return { values: [], isOver: false, hasFailed: false };
  };
  sweep.advance(progress);
  assert.deepEqual(
    sweep.trials.map(({ phase }) => phase),
    ['over', 'over', 'running'],
  );
});
