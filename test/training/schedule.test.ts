import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRESETS } from '../../src/contracts/presets.js';
import { ScheduleConfig } from '../../src/contracts/training.js';
import { RandomSource } from '../../src/tensor/random.js';
import { splitBatch } from '../../src/training/batch-parts.js';
import { drawBpttLength } from '../../src/training/bptt-length.js';
import { afterEvaluation, INITIAL_SCHEDULE_STATE, learningRateFactor } from '../../src/training/schedule.js';

/** The factor of each of 4 equal parts of 5 epochs; validation losses as given. */
function curve(options: object, losses: readonly number[] = [5, 4, 3, 2, 1]): number[] {
  const config = ScheduleConfig.parse(options);
  let state = INITIAL_SCHEDULE_STATE;
  return losses.flatMap((loss, epoch) => {
    const factors = [0, 1, 2, 3].map((quarter) =>
      learningRateFactor(
        config,
        { epoch: epoch + 1, fraction: (epoch + quarter / 4) / losses.length },
        state,
      ),
    );
    state = afterEvaluation(config, state, loss);
    return factors;
  });
}

/** The factor at the start of each epoch. */
const byEpoch = (options: object, losses?: readonly number[]) =>
  curve(options, losses).filter((_, i) => i % 4 === 0);

describe('learningRateFactor', () => {
  it('constant: stays 1', () => {
    assert.deepEqual([...new Set(curve({ type: 'constant' }))], [1]);
  });

  it('divide-on-plateau: divides after each epoch that does not beat the best', () => {
    const losses = [5, 4, 4, 4.5, 3.9, 4.2, 1];
    assert.deepEqual(byEpoch({ type: 'divide-on-plateau' }, losses), [
      1,
      1,
      1,
      1 / 4,
      1 / 16,
      1 / 16,
      1 / 64,
    ]);
    assert.deepEqual(byEpoch({ type: 'divide-on-plateau', divisor: 2 }, [1, 1, 1]), [1, 1, 1 / 2]);
  });

  it('exponential: the first multiplied epoch is the one named, and within an epoch nothing changes', () => {
    const factors = curve({ type: 'exponential', factor: 0.5, fromEpoch: 3 });
    assert.deepEqual(factors.slice(0, 12), [1, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]);
    assert.deepEqual(factors.slice(-4), [0.125, 0.125, 0.125, 0.125]);
  });

  it('exponential: Zaremba’s models keep their rate for 6 and for 14 epochs', () => {
    for (const [preset, epochs] of [
      ['zaremba-medium', 6],
      ['zaremba-large', 14],
    ] as const) {
      const factors = byEpoch(PRESETS[preset].config.schedule!, Array(epochs + 1).fill(1));
      assert.ok(factors.slice(0, epochs).every((factor) => factor === 1));
      assert.ok(factors[epochs]! < 1);
    }
  });

  it('cosine: falls from 1 to the minimum along half a cosine', () => {
    const factors = curve({ type: 'cosine', minimumFraction: 0.2 });
    assert.equal(factors[0], 1);
    assert.ok(Math.abs(factors[10]! - 0.6) < 1e-12, 'in the middle');
    assert.ok(factors.every((factor, i) => i === 0 || factor < factors[i - 1]!));
    const end = { epoch: 5, fraction: 1 };
    const config = ScheduleConfig.parse({ type: 'cosine', minimumFraction: 0.2 });
    assert.ok(Math.abs(learningRateFactor(config, end, INITIAL_SCHEDULE_STATE) - 0.2) < 1e-12);
  });

  it('cosine and one-cycle: rise linearly for the warm-up, from 0 and from 1/25', () => {
    for (const [type, start] of [
      ['cosine', 0],
      ['one-cycle', 1 / 25],
    ] as const) {
      const factors = curve({ type, warmupFraction: 0.5 });
      const rise = Array.from({ length: 11 }, (_, i) => start + ((1 - start) * i) / 10);
      rise.forEach((expected, i) => {
        assert.ok(Math.abs(factors[i]! - expected) < 1e-12, `${type} ${i}`);
      });
      assert.ok(factors.slice(10).every((factor, i, rest) => i === 0 || factor < rest[i - 1]!));
    }
  });

  it('stays between 0 and 1 with any warm-up, the whole way too', () => {
    for (const warmupFraction of [0, 0.01, 0.5, 1]) {
      for (const type of ['cosine', 'one-cycle']) {
        for (const factor of curve({ type, warmupFraction })) assert.ok(factor >= 0 && factor <= 1);
      }
    }
  });
});

describe('drawBpttLength', () => {
  const draws = 20_000;
  const lengths = (bpttLength: number) => {
    const random = new RandomSource(3, 3);
    return Int32Array.from({ length: draws }, () => drawBpttLength(bpttLength, random));
  };

  it('is normal around T with deviation 5, and around T / 2 once in twenty', () => {
    const all = lengths(70);
    const short = all.filter((length) => length < 52);
    const full = all.filter((length) => length >= 52);
    assert.ok(Math.abs(short.length / draws - 0.05) < 0.008, `${short.length} short ones`);
    for (const [values, center] of [
      [full, 69.5], // whole numbers below: half a step less
      [short, 34.5],
    ] as const) {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      assert.ok(Math.abs(mean - center) < 25 / Math.sqrt(values.length), `mean ${mean}`);
      assert.ok(Math.abs(Math.sqrt(variance) - 5) < 0.5, `deviation ${Math.sqrt(variance)}`);
    }
  });

  it('is never below 5', () => {
    for (const bpttLength of [1, 8, 20]) {
      const all = lengths(bpttLength);
      assert.equal(Math.min(...all), 5);
    }
  });

  it('is the same for the same counter', () => {
    const random = new RandomSource(3, 3);
    const first = Array.from({ length: 10 }, () => drawBpttLength(70, random));
    const { counter } = random;
    const next = Array.from({ length: 10 }, () => drawBpttLength(70, random));
    random.counter = counter;
    assert.deepEqual(
      Array.from({ length: 10 }, () => drawBpttLength(70, random)),
      next,
    );
    assert.notDeepEqual(first, next);
  });
});

describe('splitBatch', () => {
  const batch = {
    inputs: Int32Array.from({ length: 10 }, (_, i) => i),
    targets: Int32Array.from({ length: 10 }, (_, i) => 100 + i),
    time: 2,
    batchSize: 5,
  };

  it('cuts along the streams, each with all of its steps', () => {
    const parts = splitBatch(batch, 2);
    assert.deepEqual(
      parts.map(({ inputs, targets, time, batchSize }) => [[...inputs], [...targets], time, batchSize]),
      [
        [[0, 1, 2, 5, 6, 7], [100, 101, 102, 105, 106, 107], 2, 3],
        [[3, 4, 8, 9], [103, 104, 108, 109], 2, 2],
      ],
    );
  });

  it('makes at most as many parts as asked for, none of them empty', () => {
    for (const parts of [1, 2, 3, 4, 5, 6, 256]) {
      const pieces = splitBatch(batch, parts);
      assert.ok(pieces.length <= parts);
      assert.ok(pieces.every(({ batchSize }) => batchSize > 0));
      assert.equal(
        pieces.reduce((sum, { batchSize }) => sum + batchSize, 0),
        5,
      );
    }
  });
});
