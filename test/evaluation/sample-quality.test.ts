import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { longestMatches } from '../../src/evaluation/longest-matches.js';
import {
  COPIED_CHARACTERS,
  distinctShare,
  measureQuality,
  qualityFigures,
} from '../../src/evaluation/sample-quality.js';
import { runToEnd } from '../../src/evaluation/stepwise.js';

const ids = (text: string) => Int32Array.from(text, (character) => character.codePointAt(0)!);
const quality = (sample: string, train: string) =>
  runToEnd(measureQuality({ ids: ids(sample), characters: sample.length }, ids(train)));

/** The same as longestMatches, by trying all of them. */
function naiveMatches(sample: string, text: string): number[] {
  return Array.from(sample, (_, end) => {
    for (let start = 0; start <= end; start++)
      if (text.includes(sample.slice(start, end + 1))) return end + 1 - start;
    return 0;
  });
}

describe('longestMatches', () => {
  it('agrees with trying every passage', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 });
    fc.assert(
      fc.property(text, text, (sample, train) => {
        assert.deepEqual([...runToEnd(longestMatches(ids(sample), ids(train)))], naiveMatches(sample, train));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves a turn to others while it reads a long text', () => {
    const steps = longestMatches(ids('abc'), new Int32Array(200_000));
    let turns = 0;
    while (!steps.next().done) turns += 1;
    assert.equal(turns, 3);
  });
});

describe('measureQuality', () => {
  const passage = 'x'.repeat(COPIED_CHARACTERS - 1);

  it('counts a passage as copied from its 40th character on', () => {
    assert.equal(quality(`${passage}!`, `..${passage}..`).copiedShare, 0);
    assert.equal(
      quality(`?${passage}y!`, `..${passage}y..`).copiedShare,
      COPIED_CHARACTERS / (COPIED_CHARACTERS + 2),
    );
    assert.equal(quality(`?${passage}y!`, `..${passage}y..`).longestCopy, COPIED_CHARACTERS);
  });

  it('tells a text that repeats itself from one that does not', () => {
    const [, , , repeated] = quality('abcdabcdabcdabcd', '').distinct;
    const [, , , varied] = quality('abcdefghijklmnop', '').distinct;
    assert.equal(varied, 1);
    assert.ok(repeated! < 0.4);
  });

  it('in short: distinct pairs, repeated 4-grams, share copied', () => {
    const short = (text: string, train: string) =>
      qualityFigures({ ids: ids(text), characters: text.length }, ids(train));
    assert.deepEqual(short('abcdabcdabcd', ''), {
      distinctPairs: 4 / 11,
      repetition: 1 - 4 / 9,
      copiedShare: 0,
    });
    assert.deepEqual(short('a', 'a'), { distinctPairs: null, repetition: null, copiedShare: 0 });
    assert.equal(short(`${passage}y`, `..${passage}y..`).copiedShare, 1);
  });

  it('has no share of n-grams where the text is shorter than n', () => {
    assert.equal(distinctShare(ids('abc'), 4), null);
    assert.deepEqual(quality('', 'abc'), {
      tokens: 0,
      distinct: [null, null, null, null],
      copiedShare: 0,
      longestCopy: 0,
    });
  });
});
