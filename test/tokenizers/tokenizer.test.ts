import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PreTokenizer, TokenizerConfig } from '../../src/contracts/corpus.js';
import { createTokenizer, wordTokenizerOf } from '../../src/tokenizers/create-tokenizer.js';
import { type Tokenizer, unknownWords } from '../../src/tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';

const TRAIN = [
  'The quick brown fox (a "fox") can’t jump over reply.send("dog"); see https://example.com/a-b?c=1.',
  'the quick 🦊 jumps: 1.5 km/h, 1,000 times… naïve café, Straße, ΣΑΣ, 日本語のテキスト, `code`, **bold**',
  "isn't __proto__ constructor toString === !== => [link](../x.md) 'quoted' -- --- ... <unk>",
  'İstanbul e\u0301 \u2764\ufe0f \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \ufeff x',
].join('\n');

function make(config: unknown, train = TRAIN, defaultPreTokenizer: PreTokenizer = 'prose'): Tokenizer {
  return createTokenizer(TokenizerConfig.parse(config), train, defaultPreTokenizer);
}

/** Anything that UTF-8 can say, with what the tokenizers treat specially coming often. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom(
        ' ',
        '\n',
        '\r\n',
        '\t',
        '.',
        ',',
        '"',
        "'",
        '`',
        '(',
        ')',
        '**',
        '/',
        ':',
        '://',
        '!',
        '=',
        '<',
      ),
      fc.constantFrom(
        'the',
        'fox',
        'x.y',
        "isn't",
        '<unk>',
        '<eos>',
        '_',
        '1.5',
        '🦊',
        '\u0301',
        '\u00a0',
        'İ',
        '\ufeff',
        '\u0085',
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))
  .filter((value) => !/\p{Surrogate}/u.test(value));

const CONFIGS: Record<string, unknown> = {
  whitespace: { type: 'word', preTokenizer: 'whitespace', minCount: 1 },
  prose: { type: 'word', preTokenizer: 'prose', minCount: 1 },
  lossless: { type: 'word', preTokenizer: 'lossless', minCount: 1 },
  'lossless, lower case': { type: 'word', preTokenizer: 'lossless', minCount: 1, lowercase: true },
  'prose, lower case': { type: 'word', preTokenizer: 'prose', minCount: 1, lowercase: true },
  character: { type: 'character' },
  'byte-pair': { type: 'byte-pair', vocabularySize: 400 },
  'byte-pair, lower case': { type: 'byte-pair', vocabularySize: 400, lowercase: true },
};

for (const [name, config] of Object.entries(CONFIGS)) {
  describe(`the ${name} tokenizer`, () => {
    const tokenizer = make(config);

    it('reads its own decoded text as the same ids', () => {
      fc.assert(
        fc.property(text, (value) => {
          const ids = tokenizer.encode(value);
          // An unknown character is shown as the five characters <unk>.
          fc.pre(tokenizer.type !== 'character' || !ids.includes(tokenizer.vocabulary.unknownId!));
          assert.deepEqual(tokenizer.encode(tokenizer.decode(ids)), ids);
        }),
        { numRuns: 1000 },
      );
    });

    it('decodes token by token to the same text as at once', () => {
      fc.assert(
        fc.property(text, (value) => {
          const ids = tokenizer.encode(value);
          const decoder = tokenizer.createDecoder();
          const parts = [...ids].map((id) => decoder.push(id));
          parts.push(decoder.end());
          assert.equal(parts.join(''), tokenizer.decode(ids));
          assert.ok(parts.every((part) => !/\p{Surrogate}/u.test(part)));
        }),
      );
    });

    it('gives byte offsets that rise and cover all but white space', () => {
      fc.assert(
        fc.property(text, (value) => {
          const { ids, starts, ends } = tokenizer.encodeWithOffsets(value);
          assert.deepEqual(ids, tokenizer.encode(value));
          const bytes = Buffer.from(value);
          let at = 0;
          let between = '';
          ids.forEach((_, i) => {
            if (tokenizer.vocabulary.unknownId !== null) assert.ok(starts[i]! >= at);
            between += bytes.toString('utf8', at, Math.max(at, starts[i]!));
            at = ends[i]!;
          });
          between += bytes.toString('utf8', at);
          const keepsSpacing = tokenizer.type !== 'word' || name.startsWith('lossless');
          assert.match(between, keepsSpacing ? /^$/ : /^\p{White_Space}*$/u);
        }),
      );
    });

    it('is the same after being written to tokenizer.json and read again', () => {
      const read = parseTokenizerJson(JSON.stringify(tokenizer.toJSON()));
      assert.equal(read.type, tokenizer.type);
      assert.deepEqual(read.vocabulary.tokens, tokenizer.vocabulary.tokens);
      assert.equal(read.vocabulary.eosId, tokenizer.vocabulary.eosId);
      assert.equal(read.vocabulary.unknownId, tokenizer.vocabulary.unknownId);
      assert.deepEqual(JSON.stringify(read), JSON.stringify(tokenizer));
      fc.assert(fc.property(text, (value) => assert.deepEqual(read.encode(value), tokenizer.encode(value))));
    });

    it('refuses a lone surrogate, and says where', () => {
      assert.throws(() => tokenizer.encode('añ\ud83d'), {
        code: 'corpus-not-text',
        message: /surrogate at byte 3/,
      });
      assert.throws(() => tokenizer.encodeWithOffsets('\udc00x'), { code: 'corpus-not-text' });
    });

    it('refuses ids outside of its vocabulary', () => {
      assert.throws(() => tokenizer.decode([tokenizer.vocabulary.size]), { code: 'token-id-out-of-range' });
      assert.throws(() => tokenizer.createDecoder().push(-1), { code: 'token-id-out-of-range' });
    });
  });
}

describe('words', () => {
  it('numbers them in order of first appearance, each line ending with <eos>, as the book does', () => {
    const tokenizer = make({ type: 'word' }, ' a b a <unk> \n b c \n', 'whitespace');
    assert.deepEqual(tokenizer.vocabulary.tokens, ['a', 'b', '<unk>', '<eos>', 'c']);
    assert.deepEqual([...tokenizer.encode(' a b a <unk> \n b c \n')], [0, 1, 0, 2, 3, 1, 4, 3]);
    assert.deepEqual([...tokenizer.vocabulary.counts!], [2, 2, 1, 2, 1]);
    assert.equal(tokenizer.decode(tokenizer.encode('a\r\nb zebra\n\nc')), 'a\nb <unk>\n\nc');
  });

  it('makes rare words <unk> where the text has no <unk>, so that it is learned', () => {
    const { vocabulary } = make({ type: 'word' }, 'a a b b once\n');
    assert.deepEqual(vocabulary.tokens, ['a', 'b', '<eos>', '<unk>']);
    assert.equal(vocabulary.counts?.[vocabulary.unknownId!], 1);
    assert.deepEqual(make({ type: 'word', minCount: 1 }, 'a a b b once\n').vocabulary.size, 5);
  });

  it('keeps the most frequent words within vocabularySize, <unk> and <eos> among them', () => {
    const { vocabulary } = make({ type: 'word', vocabularySize: 4, minCount: 1 }, 'x y y z z z w\n');
    assert.deepEqual(vocabulary.tokens, ['y', 'z', '<eos>', '<unk>']);
    assert.deepEqual([...vocabulary.counts!], [2, 3, 1, 2]);
  });

  it('reads prose back with the spacing that people write', () => {
    const line =
      'He said: "don\'t", (see `reply.send` [here](../a/b.md)) at https://example.com/x; 1.5 km/h!\n';
    const tokenizer = make({ type: 'word', minCount: 1 }, line);
    assert.equal(tokenizer.decode(tokenizer.encode(line)), line);
  });

  it('take <unk> for a word of the text unless the text is tokenized already', () => {
    const text = 'a literal <unk> once, twice, a literal\n';
    const benchmark = make({ type: 'word', preTokenizer: 'whitespace' }, text, 'whitespace');
    assert.ok(benchmark.vocabulary.ids.has('once,'), 'minCount is 1');
    for (const preTokenizer of ['whitespace', 'prose']) {
      const { vocabulary } = make({ type: 'word', preTokenizer }, text, 'lossless');
      assert.ok(!vocabulary.ids.has('once'), 'minCount is 2');
    }
  });

  it('knows words that objects have by nature', () => {
    const tokenizer = make({ type: 'word', minCount: 1 });
    for (const word of ['__proto__', 'constructor', 'toString']) {
      assert.equal(tokenizer.vocabulary.token(tokenizer.encode(word)[0]!), word);
    }
    assert.equal(tokenizer.encode('hasOwnProperty')[0], tokenizer.vocabulary.unknownId);
  });

  it('come from a list too, in the order of a model’s ids', () => {
    const tokenizer = wordTokenizerOf(['<eos>', 'b', '<unk>', 'a']);
    assert.deepEqual([...tokenizer.encode('a b c\n')], [3, 1, 2, 0]);
    assert.throws(() => wordTokenizerOf(['a', '<eos>']), {
      code: 'tokenizer-invalid',
      message: /lacks "<unk>"/,
    });
    assert.throws(() => wordTokenizerOf(['a', 'a', '<unk>', '<eos>']), { message: /twice/ });
  });

  it('names the unknown words of a text, once each', () => {
    const tokenizer = make({ type: 'word', minCount: 1 });
    assert.deepEqual(unknownWords(tokenizer, 'the 猫 quick zebra, zebra 猫'), ['猫', 'zebra']);
    assert.deepEqual(unknownWords(make({ type: 'byte-pair' }), 'zebra'), []);
  });
});

describe('characters', () => {
  it('gives any text of known characters back as it was', () => {
    const characters = [...new Set(TRAIN)];
    const tokenizer = make({ type: 'character' });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...characters)), (parts) => {
        assert.equal(tokenizer.decode(tokenizer.encode(parts.join(''))), parts.join(''));
      }),
    );
    assert.equal(tokenizer.encode('🦊').length, 1);
    assert.equal(tokenizer.encode('a\r\nb').length, 4);
  });
});

describe('byte pairs', () => {
  it('give any text back as it was', () => {
    const tokenizer = make({ type: 'byte-pair', vocabularySize: 500, minCount: 1 });
    fc.assert(
      fc.property(text, (value) => assert.equal(tokenizer.decode(tokenizer.encode(value)), value)),
      { numRuns: 500 },
    );
  });

  it('hold a character back until all of its bytes have come', () => {
    const tokenizer = make({ type: 'byte-pair', vocabularySize: 256 }, 'x\n');
    const decoder = tokenizer.createDecoder();
    const parts = [...tokenizer.encode('é🦊')].map((id) => decoder.push(id));
    assert.deepEqual(parts, ['', 'é', '', '', '', '🦊']);
    decoder.push(tokenizer.encode('🦊')[0]!);
    assert.equal(decoder.end(), '\ufffd', 'what never became whole is shown as such');
  });

  it('merge the most frequent pair first', () => {
    const tokenizer = make({ type: 'byte-pair', vocabularySize: 259 }, 'abab abab cab cab cab\n');
    assert.deepEqual(tokenizer.vocabulary.tokens.slice(256), ['ab', 'cab', 'Ġcab']);
    assert.equal(tokenizer.vocabulary.token(tokenizer.vocabulary.eosId), 'Ċ');
  });

  it('learn the same merges as counting all pairs anew after each merge', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('ab', 'abc', 'aaa', ' b', 'bca', ' ', '\n'), { maxLength: 40 }),
        (parts) => {
          const value = parts.join('');
          const tokenizer = make({ type: 'byte-pair', vocabularySize: 300, minCount: 1 }, value);
          assert.deepEqual(tokenizer.vocabulary.tokens.slice(256), naiveMerges(value, 300 - 256));
        },
      ),
    );
  });

  it('count their tokens as encoding the train split does', () => {
    const tokenizer = make({ type: 'byte-pair', vocabularySize: 400 });
    const counts = new Int32Array(tokenizer.vocabulary.size);
    for (const id of tokenizer.encode(TRAIN)) counts[id]!++;
    assert.deepEqual(tokenizer.vocabulary.counts, counts);
  });

  it('take no quadratic time for a text without white space', () => {
    const long = 'abcdefghij'.repeat(30_000);
    const tokenizer = make({ type: 'byte-pair', vocabularySize: 300, minCount: 2 }, long);
    const started = performance.now();
    const ids = tokenizer.encode(long);
    assert.equal(tokenizer.decode(ids), long);
    assert.ok(performance.now() - started < 10_000, 'n² would take minutes');
  });
});

/** Byte pairs by the book: pieces of GPT-2's pattern, all pairs counted anew each time. */
function naiveMerges(value: string, most: number): string[] {
  const order = (symbol: string, made: string[]) =>
    made.includes(symbol) ? 256 + made.indexOf(symbol) : byteOrder(symbol);
  let pieces = [...value.matchAll(/ ?\p{L}+|\s+(?!\S)|\s+/gu)].map(([piece]) =>
    [...piece].map((symbol) => ({ ' ': 'Ġ', '\n': 'Ċ' })[symbol] ?? symbol),
  );
  const made: string[] = [];
  while (made.length < most) {
    const counts = new Map<string, number>();
    for (const piece of pieces) {
      for (let i = 0; i + 1 < piece.length; i++) {
        const key = `${piece[i]} ${piece[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    const compare = ([a, countA]: [string, number], [b, countB]: [string, number]) => {
      const [leftA, rightA] = a.split(' ').map((symbol) => order(symbol, made));
      const [leftB, rightB] = b.split(' ').map((symbol) => order(symbol, made));
      return countB - countA || leftA! - leftB! || rightA! - rightB!;
    };
    const best = [...counts].sort(compare)[0];
    if (!best) break;
    const [left, right] = best[0].split(' ');
    made.push(`${left}${right}`);
    pieces = pieces.map((piece) => {
      const merged: string[] = [];
      for (let i = 0; i < piece.length; i++) {
        if (piece[i] === left && piece[i + 1] === right) {
          merged.push(`${left}${right}`);
          i++;
        } else merged.push(piece[i]!);
      }
      return merged;
    });
  }
  return made;
}

/** Letters come before the space and the line feed in GPT-2's order of bytes; the line feed before the space. */
function byteOrder(symbol: string): number {
  return symbol === 'Ċ' ? 198 : symbol === 'Ġ' ? 220 : symbol.charCodeAt(0) - 33;
}
