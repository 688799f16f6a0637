import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type SamplingOptions, sampleFromTop, sampleToken, topCount } from '../../src/generation/sampling.js';
import { likeliestIds } from '../../src/tensor/logits.js';
import { randomBits } from '../../src/tensor/random.js';

const PLAIN: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
/** Probabilities 1/2, 1/4, 1/8, 1/16, 1/16 of the ids 3, 0, 4, 1, 2. */
const PROBABILITIES = [1 / 4, 1 / 16, 1 / 16, 1 / 2, 1 / 8];
const logits = () => Float32Array.from(PROBABILITIES, (probability) => Math.log(probability) + 7);
const none: ReadonlySet<number> = new Set();

/** How often each id is drawn, over evenly spread random numbers. */
function frequencies(options: Partial<SamplingOptions>, seen = none, banned = none): number[] {
  const draws = 4096;
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < draws; i++) {
    const random = (i + 0.5) / draws;
    counts[sampleToken(logits(), { ...PLAIN, ...options }, random, seen, banned)]! += 1 / draws;
  }
  return counts;
}

function expectFrequencies(actual: number[], expected: number[]): void {
  const total = expected.reduce((sum, value) => sum + value, 0);
  expected.forEach((value, id) => {
    assert.ok(Math.abs(actual[id]! - value / total) < 1e-3, `${actual}, not ${expected}`);
  });
}

describe('sampleToken', () => {
  it('draws each token with its probability', () => {
    expectFrequencies(frequencies({}), PROBABILITIES);
  });

  it('temperature divides the logits', () => {
    expectFrequencies(
      frequencies({ temperature: 0.5 }),
      PROBABILITIES.map((probability) => probability ** 2),
    );
    expectFrequencies(
      frequencies({ temperature: 2 }),
      PROBABILITIES.map((probability) => Math.sqrt(probability)),
    );
    expectFrequencies(frequencies({ temperature: 1e-9 }), [0, 0, 0, 1, 0]);
  });

  it('temperature 0 takes the likeliest, the first of equals', () => {
    expectFrequencies(frequencies({ temperature: 0 }), [0, 0, 0, 1, 0]);
    const equal = Float32Array.of(1, 2, 2);
    assert.equal(sampleToken(equal, { ...PLAIN, temperature: 0 }, 0.99, none, none), 1);
  });

  it('topK draws among the K likeliest, exactly K of equals', () => {
    expectFrequencies(frequencies({ topK: 1 }), [0, 0, 0, 1, 0]);
    expectFrequencies(frequencies({ topK: 2 }), [1 / 4, 0, 0, 1 / 2, 0]);
    expectFrequencies(frequencies({ topK: 4 }), [1 / 4, 1 / 16, 0, 1 / 2, 1 / 8]);
    for (const topK of [0, 5, 1000]) expectFrequencies(frequencies({ topK }), PROBABILITIES);
  });

  it('topP draws among the fewest that have this probability together', () => {
    expectFrequencies(frequencies({ topP: 0.5 }), [0, 0, 0, 1, 0]);
    expectFrequencies(frequencies({ topP: 0.51 }), [1 / 4, 0, 0, 1 / 2, 0]);
    expectFrequencies(frequencies({ topP: 0.88 }), [1 / 4, 1 / 16, 0, 1 / 2, 1 / 8]);
    expectFrequencies(frequencies({ topP: 1e-9 }), [0, 0, 0, 1, 0]);
    const half = { ...PLAIN, topP: 0.5 };
    assert.equal(sampleToken(Float32Array.of(0, 0), half, 0.99, none, none), 0, 'half is enough for a half');
  });

  it('minP drops what is less likely than this part of the likeliest', () => {
    expectFrequencies(frequencies({ minP: 0.2 }), [1 / 4, 0, 0, 1 / 2, 1 / 8]);
    expectFrequencies(frequencies({ minP: 0.6 }), [0, 0, 0, 1, 0]);
    expectFrequencies(frequencies({ minP: 1 }), [0, 0, 0, 1, 0]);
  });

  it('topP counts what topK and minP have left', () => {
    expectFrequencies(frequencies({ topK: 2, topP: 0.66 }), [0, 0, 0, 1, 0]);
    expectFrequencies(frequencies({ topK: 2, topP: 0.67 }), [1 / 4, 0, 0, 1 / 2, 0]);
    expectFrequencies(frequencies({ minP: 0.4, topP: 0.67 }), [1 / 4, 0, 0, 1 / 2, 0]);
  });

  it('repetitionPenalty makes what was seen less likely, on either side of zero', () => {
    const options = { ...PLAIN, temperature: 0, repetitionPenalty: 2 };
    assert.equal(sampleToken(Float32Array.of(3, 2), options, 0, new Set([0]), none), 1, '3 becomes 1.5');
    assert.equal(sampleToken(Float32Array.of(-1, -1.5), options, 0, new Set([0]), none), 1, '−1 becomes −2');
    assert.equal(sampleToken(Float32Array.of(3, 1), options, 0, new Set([0]), none), 0);
  });

  it('never draws what is banned', () => {
    expectFrequencies(frequencies({}, none, new Set([3])), [1 / 4, 1 / 16, 1 / 16, 0, 1 / 8]);
    expectFrequencies(frequencies({ temperature: 0 }, none, new Set([3])), [1, 0, 0, 0, 0]);
    expectFrequencies(frequencies({ topK: 1 }, none, new Set([3, 0])), [0, 0, 0, 0, 1]);
    expectFrequencies(
      frequencies({ topP: 0.01, repetitionPenalty: 3 }, new Set([3]), new Set([3])),
      [1, 0, 0, 0, 0],
    );
  });

  it('gives a token of the vocabulary that is not banned, whatever the numbers', () => {
    const key = { seed: 1, stream: 1, counterLow: 0, counterHigh: 0 };
    const options = fc.record({
      temperature: fc.oneof(fc.constant(0), fc.double({ min: 1e-30, max: 100, noNaN: true })),
      topK: fc.nat(30),
      topP: fc.double({ min: 1e-9, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 1, noNaN: true }),
      repetitionPenalty: fc.double({ min: 0.01, max: 10, noNaN: true }),
    });
    const numbers = fc.array(fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true }), {
      minLength: 2,
      maxLength: 20,
    });
    const random = fc.nat(999).map((i) => (randomBits(1000, key)[i]! >>> 8) * 2 ** -24);
    fc.assert(
      fc.property(numbers, options, random, fc.nat(19), fc.nat(19), (values, how, uniform, seen, banned) => {
        const ban = new Set(banned < values.length ? [banned] : []);
        const id = sampleToken(Float32Array.from(values), how, uniform, new Set([seen % values.length]), ban);
        assert.ok(Number.isInteger(id) && id >= 0 && id < values.length && !ban.has(id), `${id}`);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The same in the plainest way: sorts everything. */
function sampleBySorting(values: Float32Array, options: SamplingOptions, random: number): number {
  const { temperature, topK, topP, minP } = options;
  let ids = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
  if (topK > 0) ids = ids.slice(0, topK);
  const weight = (id: number) => Math.exp((values[id]! - values[ids[0]!]!) / temperature);
  ids = ids.filter((id) => weight(id) >= minP);
  const total = ids.reduce((sum, id) => sum + weight(id), 0);
  if (topP < 1) {
    let cumulated = 0;
    const enough = ids.findIndex((id) => {
      cumulated += weight(id);
      return cumulated >= topP * total;
    });
    ids = ids.slice(0, enough + 1);
  } else if ((topK === 0 || topK === values.length) && minP === 0) ids.sort((a, b) => a - b);
  let rest = random * ids.reduce((sum, id) => sum + weight(id), 0);
  for (const id of ids) {
    rest -= weight(id);
    if (rest < 0) return id;
  }
  return ids.at(-1)!;
}

describe('sampling among many', () => {
  it('draws what sorting the whole vocabulary draws', () => {
    const anyLogits = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 700 });
    const anyOptions = fc.record({
      temperature: fc.constantFrom(0.3, 1, 3),
      topK: fc.constantFrom(0, 0, 1, 5, 40, 300, 10_000),
      topP: fc.constantFrom(1, 1, 0.1, 0.5, 0.9, 0.999),
      minP: fc.constantFrom(0, 0, 0.01, 0.3),
      repetitionPenalty: fc.constant(1),
    });
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(anyLogits, anyOptions, random, (integers, options, number) => {
        const values = Float32Array.from(integers, (value) => value / 5);
        const expected = sampleBySorting(
          values.slice(),
          { ...options, topK: Math.min(options.topK, values.length) },
          number,
        );
        assert.equal(sampleToken(values, options, number, none, none), expected);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it('draws from the largest logits alone what it draws from all, where it says that they are enough', () => {
    let enough = 0;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 700 }),
        fc.constantFrom(0, 0.3, 1, 3),
        fc.constantFrom(0, 1, 5, 40, 511, 512, 600),
        fc.constantFrom(1, 0.5, 0.9),
        fc.constantFrom(0, 0.1),
        fc.option(fc.nat(699)),
        fc.nat(5),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (integers, temperature, topK, topP, minP, bannedId, more, number) => {
          const values = Float32Array.from(integers, (value) => value / 5);
          const options = { temperature, topK, topP, minP, repetitionPenalty: 1 };
          const banned = new Set(bannedId !== null && bannedId < values.length ? [bannedId] : []);
          const count = topCount(options, values.length, banned);
          if (count === null) return;
          enough += 1;
          const ids = likeliestIds(values, Math.min(count + more, values.length));
          const top = { ids, values: Float32Array.from(ids, (id) => values[id]!) };
          const drawn = sampleFromTop(top, options, number, banned);
          assert.equal(drawn, sampleToken(values, options, number, none, banned));
        },
      ),
      { numRuns: 2000, seed: 12 },
    );
    assert.ok(enough > 500, `${enough} of 2000`);
    assert.equal(topCount({ ...PLAIN, topK: 5, repetitionPenalty: 1.1 }, 100, none), null);
    assert.equal(topCount(PLAIN, 100, none), null);
  });
});
