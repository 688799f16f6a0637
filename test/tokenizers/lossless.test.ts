import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import { describeTokenizer } from '../../src/tokenizers/describe-tokenizer.js';
import type { Tokenizer } from '../../src/tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';

function make(config: unknown, train: string): Tokenizer {
  return createTokenizer(TokenizerConfig.parse(config), train, 'lossless');
}

/** One random code point of each general category that UTF-8 has: all but Cs, lone surrogates. */
const CATEGORIES =
  'Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn'.split(' ');
const byCategory = new Map(CATEGORIES.map((name) => [name, [] as number[]]));
const patterns = CATEGORIES.map((name) => [name, new RegExp(`^\\p{${name}}$`, 'u')] as const);
for (let code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 13) {
  if (code >= 0xd800 && code <= 0xdfff) continue;
  const character = String.fromCodePoint(code);
  byCategory.get(patterns.find(([, pattern]) => pattern.test(character))![0])!.push(code);
}
const ofAnyCategory = fc
  .constantFrom(...byCategory.values())
  .chain((codes) => fc.constantFrom(...codes))
  .map((code) => String.fromCodePoint(code));
const SPACING = [' ', '  ', '\n', '\r\n', '\r', '\t', '\u00a0', '\u3000', '    ', '\n\n', '\u2028', '\u0085'];
const CLUSTERS = ['👨‍👩‍👧', '🇦🇹', '👍🏽', '❤️‍🔥', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'e\u0301', 'क्षि', '각', 'می‌خواهم', '\u0600'];
const anything = fc
  .array(
    fc.oneof(
      ofAnyCategory,
      fc.string({ unit: 'grapheme', maxLength: 3 }),
      fc.constantFrom(...SPACING),
      fc.constantFrom(...CLUSTERS),
      fc.constantFrom('the', 'The', '<unk>', '<eos>', 'x.y', 'def f(x):', '=>', '1,000', '日本語'),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

const TRAIN = `def f(x):\n    return x  # the The\n\r\n\tif x => 1,000: "${CLUSTERS.join(' ')}"\n`.repeat(3);

const LOSSLESS: Record<string, Tokenizer> = {
  'lossless words': make({ type: 'word' }, TRAIN),
  'lossless words that are few': make({ type: 'word', vocabularySize: 260 }, TRAIN),
  'byte pairs': make({ type: 'byte-pair', vocabularySize: 400 }, TRAIN),
};

for (const [name, tokenizer] of Object.entries(LOSSLESS)) {
  describe(name, () => {
    it('give any text of any category of characters back as it was', () => {
      fc.assert(
        fc.property(anything, (text) => assert.equal(tokenizer.decode(tokenizer.encode(text)), text)),
        { numRuns: 3000 },
      );
    });

    it('say of each token which bytes it stands for', () => {
      fc.assert(
        fc.property(anything, (text) => {
          const bytes = Buffer.from(text);
          const { ids, starts, ends } = tokenizer.encodeWithOffsets(text);
          const spelled = [...ids.keys()].map((i) => {
            assert.equal(starts[i], i === 0 ? 0 : ends[i - 1]);
            return bytes.subarray(starts[i], ends[i]).toString('latin1');
          });
          assert.equal(spelled.join(''), bytes.toString('latin1'));
        }),
      );
    });

    it('may be cut where safeCut says, and read piece by piece', () => {
      fc.assert(
        fc.property(anything, anything, (first, second) => {
          const cut = tokenizer.safeCut(first);
          const text = first + second;
          const parts = [text.slice(0, cut), text.slice(cut)].flatMap((part) => [...tokenizer.encode(part)]);
          assert.deepEqual(parts, [...tokenizer.encode(text)]);
        }),
        { numRuns: 1000 },
      );
    });
  });
}

describe('characters', () => {
  it('give any text of known characters back as it was, whatever their category', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const tokenizer = make({ type: 'character' }, text);
        assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('lossless words', () => {
  const tokens = (text: string, tokenizer = make({ type: 'word', minCount: 1 }, text)) => {
    const { starts, ends } = tokenizer.encodeWithOffsets(text);
    const bytes = Buffer.from(text);
    return [...starts].map((start, i) => bytes.toString('utf8', start, ends[i]));
  };

  it('keep the space before a word with it, and other white space apart', () => {
    assert.deepEqual(tokens('The cat  sat, (on "a" mat).\n'), [
      ...['The', ' cat', '  ', 'sat', ',', ' (', 'on', ' "', 'a', '"', ' mat', ')', '.', '\n'],
    ]);
    assert.deepEqual(tokens('if x:\n    f(a.b)\n\tg\r\n \n'), [
      ...['if', ' x', ':', '\n', '    ', 'f', '(', 'a.b', ')', '\n', '\t', 'g', '\r', '\n', ' ', '\n'],
    ]);
  });

  it('keep time stamps, calls and numbers as they are written', () => {
    for (const text of [
      '2026-11-27T08:00:01.5Z,GET,/a/b?c=1,200\n',
      'fn(a, b) => a !== b;\n',
      '| a | b |\n|---|---|\n',
    ]) {
      const tokenizer = make({ type: 'word' }, 'nothing of it\n');
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }
  });

  it('take a character for a word in scripts without spaces', () => {
    assert.deepEqual(tokens('日本語のテキスト。'), [...'日本語のテキスト。']);
    assert.deepEqual(tokens('ABC社 ข้าว'), ['ABC', '社', ' ข้', 'า', 'ว']);
  });

  it('never cut a grapheme cluster', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const tokenizer = make({ type: 'word', minCount: 1 }, TRAIN);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...CLUSTERS, 'a', ' ', '.', '!!')), (parts) => {
        const text = parts.join('');
        const whole = make({ type: 'word', minCount: 1 }, text);
        const { ends } = whole.encodeWithOffsets(text);
        let at = 0;
        const borders = new Set(
          [...segmenter.segment(text)].map(({ segment }) => (at += Buffer.byteLength(segment))),
        );
        const bytes = Buffer.from(text);
        const inWord = [...ends].filter((end) => bytes[end] !== 0x20); // white space always separates
        for (const end of inWord)
          assert.ok(borders.has(end), `${JSON.stringify(text)} is cut at byte ${end}`);
      }),
      { numRuns: 500 },
    );
    assert.equal(tokenizer.type, 'word');
  });

  it('spell what the vocabulary does not have, so that nothing is unknown', () => {
    const tokenizer = make({ type: 'word' }, 'the cat sat on the mat; the cat\n');
    assert.equal(tokenizer.vocabulary.unknownId, null);
    assert.deepEqual(
      [...tokenizer.encode('the cat blorp')].map((id) => tokenizer.vocabulary.token(id)),
      [...'the', ' cat', ' ', ...'blorp'].flatMap((token) =>
        token === ' cat' ? ['Ġcat'] : token === ' ' ? ['Ġ'] : [token],
      ),
      'the first "the" stands once without a space before it: too rare',
    );
  });

  it('count what the train split has, the bytes of rare words among them', () => {
    const tokenizer = make({ type: 'word' }, TRAIN);
    const counts = new Int32Array(tokenizer.vocabulary.size);
    for (const id of tokenizer.encode(TRAIN)) counts[id]!++;
    assert.deepEqual(tokenizer.vocabulary.counts, counts);
  });

  it('keep to vocabularySize, which the bytes must fit into', () => {
    assert.equal(make({ type: 'word', vocabularySize: 258 }, TRAIN).vocabulary.size, 258);
    assert.throws(() => make({ type: 'word', vocabularySize: 100 }, TRAIN), {
      code: 'config-conflict',
      message: /tokenizer.vocabularySize: lossless words need at least 256.*got 100/,
    });
  });

  it('are described by a config that makes them again', () => {
    const config = describeTokenizer(make({ type: 'word', lowercase: true }, TRAIN));
    assert.deepEqual([config.type, config.lowercase], ['word', true]);
    assert.equal(config.type === 'word' && config.preTokenizer, 'lossless');
  });
});

describe('prose', () => {
  it('keeps each grapheme cluster in one token', () => {
    const text = '👨‍👩‍👧 from 🇦🇹 with 👍🏽';
    const tokenizer = make({ type: 'word', preTokenizer: 'prose', minCount: 1 }, text);
    assert.equal(tokenizer.encode(text).length, 5);
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    const flags = make({ type: 'word', preTokenizer: 'prose', minCount: 1 }, '🇦🇹🇩🇪 می‌خواهم 1️⃣');
    assert.deepEqual(flags.vocabulary.tokens.slice(0, 4), ['🇦🇹', '🇩🇪', 'می‌خواهم', '1️⃣']);
  });
});

describe('a tokenizer.json of an earlier version', () => {
  it('is read as it was meant: prose that knew no grapheme clusters', () => {
    const word = '[\\p{L}\\p{N}_][\\p{L}\\p{N}_\\p{M}]*';
    const Regex = `<unk>|<eos>|${word}(?:['’.-]${word})*|=>|://|\\]\\(|!==?|([^\\p{White_Space}\\p{L}\\p{N}_])\\1*\\p{M}*`;
    const json = {
      version: '1.0',
      normalizer: { type: 'Replace', pattern: { String: '\n' }, content: ' <eos> ' },
      pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: true },
      model: { type: 'WordLevel', vocab: { '<unk>': 0, '<eos>': 1, '👍': 2, '🏽': 3 }, unk_token: '<unk>' },
    };
    const tokenizer = parseTokenizerJson(JSON.stringify(json));
    assert.deepEqual([...tokenizer.encode('👍🏽\n')], [2, 3, 1]);
    assert.deepEqual(parseTokenizerJson(JSON.stringify(tokenizer)).encode('👍🏽'), Int32Array.of(2, 3));
    assert.equal(describeTokenizer(tokenizer).type, 'word');
  });
});
