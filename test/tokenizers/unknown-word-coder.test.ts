import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { encodeCorpus } from '../../src/corpora/encode-corpus.js';
import { bitsPerByte } from '../../src/evaluation/evaluate.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import { UnknownWordCoder } from '../../src/tokenizers/unknown-word-coder.js';

/** A coder that has read some words. */
function after(words: readonly string[]): UnknownWordCoder {
  const coder = new UnknownWordCoder();
  for (const word of words) coder.charge(word);
  return coder;
}

const word = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constant('<unk>'));
const words = fc.array(word, { maxLength: 20 });
const close = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${a} ≠ ${b}`);

describe('the coder of unknown words', () => {
  it('charges 257 symbols alike at first, and for saying that a word is spelled', () => {
    const symbols = [...'blorptang'].map((_, i) => Math.log(257 + i)); // each different byte makes the others rarer
    const expected = Math.log(2) + symbols.reduce((a, b) => a + b, 0) + Math.log(257 + 9);
    close(after([]).charge('blorptang'), expected);
  });

  it('gives probabilities that sum to 1 at most over all that <unk> may hide', () => {
    // Words of no and of one byte of ASCII, <unk> as it is written, and all longer ones: what is left after two bytes.
    fc.assert(
      fc.property(words, (before) => {
        const p = (what: string) => Math.exp(-after(before).charge(what));
        const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
        let sum = p('<unk>') + p('');
        for (const one of ascii) sum += p(one);
        assert.ok(sum < 1, `${sum}`);
        // With words of two bytes more of it is used up, and never more than there is.
        for (const one of ascii) sum += p(`${one}e`);
        assert.ok(sum < 1, `${sum}`);
      }),
      { numRuns: 20 },
    );
  });

  it('shares out exactly 1 at each symbol: what no word takes is left for longer ones', () => {
    fc.assert(
      fc.property(words, (before) => {
        // p(ab) / p(a without its end) follows from charges: sum over the first symbol of a word is 1.
        const end = Math.exp(-after(before).charge(''));
        const spelled = 1 - Math.exp(-after(before).charge('<unk>'));
        const counts = new Float64Array(257).fill(1);
        for (const each of before) {
          if (each === '<unk>') continue;
          for (const byte of Buffer.from(each)) counts[byte]!++;
          counts[256]!++;
        }
        const total = counts.reduce((a, b) => a + b, 0);
        close(end, (spelled * counts[256]!) / total);
      }),
    );
  });

  it('learns: a word costs less the second time, and <unk> that the text itself has soon costs nothing', () => {
    const coder = new UnknownWordCoder();
    const [first, second] = [coder.charge('zebra'), coder.charge('zebra')];
    assert.ok(first > second);
    const benchmark = after(new Array(10_000).fill('<unk>'));
    assert.ok(benchmark.charge('<unk>') < 1e-4);
    let total = 0;
    const fresh = new UnknownWordCoder();
    for (let i = 0; i < 45_000; i++) total += fresh.charge('<unk>');
    assert.ok(total < 8, `PTB's train split: ${total} nats in all`);
  });
});

describe('bits per byte of a tokenizer with few words', () => {
  const text = 'the quick brown fox jumps over the lazy dog and the cat sat on a mat\n'.repeat(5);
  const corpusText = {
    id: 'x',
    name: 'x',
    splits: { train: text, valid: text, test: text },
    defaultPreTokenizer: 'prose',
    source: 'test',
    digest: 'x',
  } as const;

  it('is never less than what a model of it could really save', () => {
    // A uniform model over V words says log2 V bits a token; one that knows only <unk> and <eos> says 1 bit, and hides all.
    for (const vocabularySize of [2, 3, 5, 10]) {
      const config = TokenizerConfig.parse({
        type: 'word',
        preTokenizer: 'prose',
        vocabularySize,
        minCount: 1,
      });
      const { splits, bytes, hiddenNats, vocabulary } = encodeCorpus(
        corpusText,
        createTokenizer(config, text, 'prose'),
      );
      const uniform = Math.log(vocabulary.size);
      const charged = bitsPerByte(uniform, splits.valid.length, bytes.valid, hiddenNats.valid);
      const uncharged = bitsPerByte(uniform, splits.valid.length, bytes.valid);
      assert.ok(uncharged < 0.9, 'without the charge it looks like compression');
      // What is hidden has to be told: the entropy of the bytes of the unknown words is a lower bound for any order-0 code.
      assert.ok(charged - uncharged >= entropyBits(text, new Set(vocabulary.tokens)) / bytes.valid);
      assert.ok(charged > 1.5, `V ${vocabulary.size}: ${charged}`);
    }
  });

  it('is as before where nothing is unknown', () => {
    for (const type of ['byte-pair', 'character', 'word']) {
      const config = TokenizerConfig.parse({ type, minCount: 1 });
      const { hiddenNats } = encodeCorpus(corpusText, createTokenizer(config, text, 'lossless'));
      assert.deepEqual(hiddenNats, { train: 0, valid: 0, test: 0 });
    }
  });
});

/** Bits that the best order-0 code needs for the bytes and ends of the words of a text that a vocabulary lacks. */
function entropyBits(text: string, known: ReadonlySet<string>): number {
  const unknown = text.split(/\s+/).filter((each) => each !== '' && !known.has(each));
  const symbols = unknown.flatMap((each) => [...each, 'end']);
  const counts = new Map<string, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + count * Math.log2(symbols.length / count), 0);
}
