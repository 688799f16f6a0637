import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  dropoutMask,
  normal,
  type RandomKey,
  RandomSource,
  randomBits,
  uniform,
} from '../../src/tensor/random.js';

/** Counter and key words in the order of the paper: block, 0, counterLow, counterHigh; seed, stream. */
function bitsOf(counter: readonly number[], key: readonly number[]): number[] {
  const [block, , counterLow, counterHigh] = counter as [number, number, number, number];
  const [seed, stream] = key as [number, number];
  const bits = randomBits(4 * (block + 1), { seed, stream, counterLow, counterHigh });
  return [...bits.subarray(4 * block)];
}

/** Philox4x32-10 once more, from the paper's text, in BigInt. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  const word = 0xffffffffn;
  let [x0, x1, x2, x3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * x0;
    const p1 = 0xcd9e8d57n * x2;
    [x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, p1 & word, (p0 >> 32n) ^ x3 ^ k1, p0 & word];
    k0 = (k0 + 0x9e3779b9n) & word;
    k1 = (k1 + 0xbb67ae85n) & word;
  }
  return [x0, x1, x2, x3].map(Number);
}

/** Random123's kat_vectors for philox4x32, 10 rounds. */
const KNOWN_ANSWERS = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    bits: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    bits: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    bits: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

const KEY: RandomKey = { seed: 1234, stream: 2, counterLow: 77, counterHigh: 0 };
const word = fc.integer({ min: 0, max: 0xffffffff });

describe('randomBits', () => {
  it('is Philox4x32-10: the paper’s own vectors hold for the twin, and the twin for every block', () => {
    for (const { counter, key, bits } of KNOWN_ANSWERS) assert.deepEqual(philox(counter, key), bits);
    assert.deepEqual(bitsOf([0, 0, 0, 0], [0, 0]), KNOWN_ANSWERS[0]!.bits);
    fc.assert(
      fc.property(fc.nat(500), word, word, word, word, (block, low, high, seed, stream) => {
        const counter = [block, 0, low, high];
        assert.deepEqual(bitsOf(counter, [seed, stream]), philox(counter, [seed, stream]));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same first numbers whatever the size', () => {
    const long = randomBits(1003, KEY);
    for (const size of [0, 1, 2, 3, 4, 5, 999]) {
      assert.deepEqual(randomBits(size, KEY), long.subarray(0, size));
    }
  });

  it('gives other numbers for another seed, stream or counter', () => {
    const own = randomBits(64, KEY).join();
    const others = [{ seed: 1235 }, { stream: 3 }, { counterLow: 78 }, { counterHigh: 1 }];
    for (const other of others) assert.notEqual(randomBits(64, { ...KEY, ...other }).join(), own);
  });
});

describe('RandomSource', () => {
  it('never gives a key twice, and goes on from a counter as if it had not stopped', () => {
    const source = new RandomSource(5, 2);
    const keys = Array.from({ length: 10 }, () => source.next());
    assert.equal(new Set(keys.map((key) => JSON.stringify(key))).size, 10);
    const later = new RandomSource(5, 2, 4);
    assert.deepEqual(
      Array.from({ length: 6 }, () => later.next()),
      keys.slice(4),
    );
  });

  it('carries its counter past 2³²', () => {
    const source = new RandomSource(5, 2, 2 ** 32 - 1);
    const last = source.next();
    const first = source.next();
    assert.deepEqual([last.counterLow, last.counterHigh], [0xffffffff, 0]);
    assert.deepEqual([first.counterLow, first.counterHigh], [0, 1]);
  });
});

/** Mean of values^power around the mean, and standard errors for 2¹⁷ draws: five of them are exceeded once in 10⁶. */
const DRAWS = 2 ** 17;
const moment = (values: Float32Array, center: number, power: number) =>
  values.reduce((sum, value) => sum + (value - center) ** power, 0) / values.length;
const within = (actual: number, expected: number, deviation: number) =>
  assert.ok(Math.abs(actual - expected) < (5 * deviation) / Math.sqrt(DRAWS), `${actual}, not ${expected}`);

describe('uniform', () => {
  it('stays within its bounds and has the moments of a uniform distribution', () => {
    const values = uniform(DRAWS, KEY, -0.5, 1.5);
    assert.ok(values.every((value) => value >= -0.5 && value < 1.5));
    within(moment(values, 0, 1), 0.5, Math.sqrt(1 / 3));
    within(moment(values, 0.5, 2), 1 / 3, Math.sqrt(4 / 45));
    within(moment(values, 0.5, 3), 0, Math.sqrt(1 / 7));
  });

  it('is spread evenly over 64 equal parts', () => {
    const counts = new Float64Array(64);
    for (const value of uniform(DRAWS, KEY, 0, 64)) counts[Math.floor(value)]! += 1;
    const expected = DRAWS / 64;
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert.ok(chiSquared < 63 + 5 * Math.sqrt(2 * 63), `χ² = ${chiSquared} with 63 degrees of freedom`);
  });
});

describe('normal', () => {
  it('has the moments of a normal distribution and is finite', () => {
    const values = normal(DRAWS, KEY, 0, 1);
    assert.ok(values.every(Number.isFinite));
    within(moment(values, 0, 1), 0, 1);
    within(moment(values, 0, 2), 1, Math.sqrt(2));
    within(moment(values, 0, 3), 0, Math.sqrt(15));
    within(moment(values, 0, 4), 3, Math.sqrt(96));
  });

  it('has uncorrelated neighbours, which come from one pair', () => {
    const values = normal(DRAWS, KEY, 0, 1);
    let sum = 0;
    for (let i = 1; i < values.length; i++) sum += values[i]! * values[i - 1]!;
    within(sum / values.length, 0, 1);
  });

  it('is moved and stretched by mean and deviation; odd sizes are a beginning of even ones', () => {
    const standard = normal(8, KEY, 0, 1);
    normal(7, KEY, 3, 0.5).forEach((value, i) => {
      assert.ok(Math.abs(value - (3 + 0.5 * standard[i]!)) < 1e-6);
    });
  });
});

describe('dropoutMask', () => {
  for (const rate of [0.1, 0.5, 0.65]) {
    it(`drops at the rate ${rate}, and keeps the mean by what it multiplies the rest with`, () => {
      const mask = dropoutMask(DRAWS, KEY, rate);
      const kept = Math.fround(1 / (1 - rate));
      assert.ok(mask.every((value) => value === 0 || value === kept));
      const dropped = mask.filter((value) => value === 0).length / DRAWS;
      within(dropped, rate, Math.sqrt(rate * (1 - rate)));
    });
  }

  it('with rate 0 keeps everything', () => {
    assert.ok(dropoutMask(100, KEY, 0).every((value) => value === 1));
  });

  it('drops neighbours, and the same elements under other keys, independently', () => {
    const mask = dropoutMask(DRAWS, KEY, 0.5);
    const other = dropoutMask(DRAWS, { ...KEY, counterLow: KEY.counterLow + 1 }, 0.5);
    const both = (shift: number, second: Float32Array) =>
      mask.filter((value, i) => value === 0 && second[(i + shift) % DRAWS] === 0).length / DRAWS;
    for (const frequency of [both(1, mask), both(4, mask), both(0, other)])
      within(frequency, 0.25, Math.sqrt(0.25 * 0.75));
  });
});
