import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { blockAssigner, cutBlocks, cutTail, type SplitRange } from '../../src/corpora/split-text.js';

const DEFAULTS = { valid: 0.05, test: 0.05 };

function parts(text: string, documentEnds?: readonly number[]) {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    documentEnds: documentEnds ?? [bytes.length],
    read: async (start: number, length: number) => bytes.subarray(start, start + length),
  };
}

function textOf(text: string, ranges: readonly SplitRange[], split: string): string {
  const bytes = Buffer.from(text);
  return ranges
    .filter((range) => range.split === split)
    .map(({ start, end }) => bytes.toString('utf8', start, end))
    .join('');
}

function assertCovers(text: string, ranges: readonly SplitRange[]): void {
  let at = 0;
  for (const { start, end } of ranges) {
    assert.equal(start, at);
    assert.ok(end >= start);
    at = end;
  }
  assert.equal(at, Buffer.byteLength(text));
  const bytes = Buffer.from(text);
  for (const { end } of ranges)
    assert.notEqual((bytes[end] ?? 0) >> 6, 2, `byte ${end} is inside a character`);
}

const PARAGRAPHS = Array.from({ length: 2000 }, (_, i) => `Paragraph ${i} is about “${i * 7919}”.\n\n`).join(
  '',
);

describe('cutTail', () => {
  for (const [what, text] of [
    ['one long line with a line end', `${'a word and '.repeat(400)}end\n`],
    ['eight paragraphs', Array.from({ length: 8 }, (_, i) => `${`word${i} `.repeat(30)}\n`).join('')],
    ['text without white space', 'ACGT'.repeat(5000)],
    ['Japanese', '吾輩は猫である。名前はまだ無い。'.repeat(50)],
    ['forty characters', 'abcdefghijklmnopqrstuvwxyz0123456789ABCD'],
  ] as const) {
    it(`leaves no split of ${what} empty`, async () => {
      const ranges = await cutTail(parts(text), DEFAULTS);
      assertCovers(text, ranges);
      for (const { start, end } of ranges) assert.ok(end - start >= 2, JSON.stringify(ranges));
    });
  }

  it('never empties a split, whatever the text and the fractions', async () => {
    const fraction = fc.double({ min: 0.02, max: 0.4, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 200, maxLength: 600 }),
        fraction,
        fraction,
        async (text, valid, test) => {
          const ranges = await cutTail(parts(text), { valid, test });
          assertCovers(text, ranges);
          for (const { split, start, end } of ranges) assert.ok(end > start, `${split} is empty`);
        },
      ),
    );
  });
});

describe('cutBlocks', () => {
  it('spreads valid and test over the text, in about the parts that were asked for', async () => {
    const ranges = await cutBlocks(parts(PARAGRAPHS), DEFAULTS, 1);
    assertCovers(PARAGRAPHS, ranges);
    for (const split of ['valid', 'test']) {
      const text = textOf(PARAGRAPHS, ranges, split);
      const share = Buffer.byteLength(text) / Buffer.byteLength(PARAGRAPHS);
      assert.ok(Math.abs(share - 0.05) < 0.02, `${split} is ${share}`);
      const starts = ranges.filter((range) => range.split === split).map(({ start }) => start);
      assert.ok(Math.min(...starts) < PARAGRAPHS.length / 4 && Math.max(...starts) > PARAGRAPHS.length / 2);
      assert.match(text, /^Paragraph/);
      assert.match(text, /\n\n$/, 'cut between paragraphs');
    }
  });

  it('gives the same for the same seed and another for another', async () => {
    const cut = (seed: number) => cutBlocks(parts(PARAGRAPHS), DEFAULTS, seed);
    assert.deepEqual(await cut(1), await cut(1));
    assert.notDeepEqual(await cut(1), await cut(2));
  });

  it('keeps what it has where it is when the text grows', async () => {
    const before = await cutBlocks(parts(PARAGRAPHS.slice(0, 30_000)), DEFAULTS, 1);
    const after = await cutBlocks(parts(PARAGRAPHS.slice(0, 70_000)), DEFAULTS, 1);
    assert.deepEqual(
      after.slice(0, before.length - 1),
      before.slice(0, -1),
      'the last one may have been short',
    );
  });

  it('keeps documents whole where they are small enough, and cuts large ones', async () => {
    const documents = Array.from({ length: 300 }, (_, i) => `${`doc ${i} `.repeat(30 + (i % 50))}\n`);
    const huge = 'one huge document. '.repeat(3000);
    const all = [...documents, huge];
    let at = 0;
    const ends = all.map((text) => (at += Buffer.byteLength(text)));
    const text = all.join('');
    const ranges = await cutBlocks(parts(text, ends), DEFAULTS, 3);
    assertCovers(text, ranges);
    const known = new Set(ends);
    const before = ranges.filter(({ end }) => end <= ends.at(-2)!);
    assert.ok(before.length > 20);
    for (const { end } of before) assert.ok(known.has(end), `byte ${end} is inside a document`);
    assert.ok(ranges.filter(({ start }) => start >= ends.at(-2)!).length > 5, 'the huge one is cut');
  });

  it('covers any text once, without cutting a character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'é', '語', '🦊', ' ', '\n', '\n\n', 'word'), { maxLength: 300 }),
        fc.nat(1000),
        fc.double({ min: 0.01, max: 0.45, noNaN: true }),
        fc.double({ min: 0.01, max: 0.45, noNaN: true }),
        async (units, seed, valid, test) => {
          const text = units.join('').repeat(40);
          assertCovers(text, await cutBlocks(parts(text), { valid, test }, seed));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('has all three splits in each stratum, in the parts that were asked for', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.02, max: 0.3, noNaN: true }),
        fc.double({ min: 0.02, max: 0.3, noNaN: true }),
        fc.nat(),
        (valid, test, seed) => {
          const assign = blockAssigner({ valid, test }, seed);
          const length = Math.ceil(1 / Math.min(valid, test) - 1e-6);
          const blocks = Array.from({ length: length * 20 }, (_, index) => assign(index));
          const count = (split: string) => blocks.filter((other) => other === split).length;
          assert.ok(Math.abs(count('valid') - valid * blocks.length) <= 1);
          assert.ok(Math.abs(count('test') - test * blocks.length) <= 1);
          const first = new Set(blocks.slice(0, length));
          assert.equal(first.size, 3);
        },
      ),
    );
  });
});
