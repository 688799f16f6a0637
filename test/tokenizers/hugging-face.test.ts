import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { readHandbook } from '../../src/corpora/handbook.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';

/** A Python that has `tokenizers`: pip install tokenizers. */
const python = process.env.GATELM_TEST_PYTHON ?? 'python3';
const found = spawnSync(python, ['-c', 'import tokenizers'], { timeout: 60_000 }).status === 0;
const skip = found ? false : `${python} has no module "tokenizers" (GATELM_TEST_PYTHON names another Python)`;

const script = join(import.meta.dirname, '../../../test/fixtures/hugging-face-encode.py');

interface Result {
  readonly ids: number[][];
  readonly decoded: string[];
  readonly rewritten: string;
}

// Not any code point: the two need not know the same version of Unicode, and disagree on what it does not know yet.
const character = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.constantFrom(
    ' ',
    '\n',
    '\r\n',
    '.',
    "'",
    '!',
    '!=',
    '==',
    '(',
    '](',
    '://',
    '**',
    'the',
    'İ',
    'ΣΑΣ',
    '\u0301',
    '\u0085',
    '\ufeff',
    '\u00a0',
    '  ',
    '\t',
    '\r',
    '👨‍👩‍👧',
    '🇦🇹🇩🇪',
    '👍🏽',
    '1️⃣',
    '❤️',
    '\u200d',
    '🏽',
    'می‌خواهم',
    '語',
    'ข้าว',
    '\u0600',
    '=>\u0301',
  ),
);
const strange = fc
  .array(character, { maxLength: 20 })
  .map((parts) => parts.join(''))
  .filter((value) => !/\p{Surrogate}/u.test(value));

describe('Hugging Face tokenizers', { skip }, () => {
  it('read every kind of our tokenizer.json and give the same ids', async () => {
    const { splits } = await readHandbook();
    const configs = [
      { type: 'word' },
      { type: 'word', lowercase: true, vocabularySize: 2000 },
      { type: 'word', preTokenizer: 'whitespace' },
      { type: 'word', preTokenizer: 'whitespace', lowercase: true },
      { type: 'word', preTokenizer: 'lossless' },
      { type: 'word', preTokenizer: 'lossless', lowercase: true, vocabularySize: 2000 },
      { type: 'character' },
      { type: 'character', lowercase: true },
      { type: 'byte-pair' },
      { type: 'byte-pair', lowercase: true, vocabularySize: 1000 },
    ].map((config) => TokenizerConfig.parse(config));
    const texts = [splits.valid, splits.test, ...fc.sample(strange, { numRuns: 300, seed: 1 })];
    const ours = configs.map((config) => createTokenizer(config, splits.train, 'prose'));

    const tasks = ours.map((tokenizer) => ({ tokenizer, texts }));
    const run = spawnSync(python, [script], {
      input: JSON.stringify(tasks),
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    assert.equal(run.status, 0, run.stderr);
    const { results } = JSON.parse(run.stdout) as { results: Result[] };

    ours.forEach((tokenizer, i) => {
      const { ids, decoded, rewritten } = results[i]!;
      texts.forEach((text, j) => {
        const label = `${JSON.stringify(configs[i])} on ${JSON.stringify(text.slice(0, 60))}`;
        assert.deepEqual(ids[j], [...tokenizer.encode(text)], label);
        if (tokenizer.type !== 'word' || tokenizer.vocabulary.unknownId === null)
          assert.equal(decoded[j], tokenizer.decode(ids[j]!), label);
      });
      assert.equal(JSON.stringify(parseTokenizerJson(rewritten)), JSON.stringify(tokenizer));
    });
  });
});
