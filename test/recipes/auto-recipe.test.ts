import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { type AutoRequest, chooseRecipe } from '../../src/recipes/auto-recipe.js';
import { profileText } from '../../src/recipes/text-profile.js';

const PROSE = 'It was late when the train came in, and nobody stood on the platform any more.\n';
const LOG = '2026-03-01 10:15:32.118 [7F3A] 10.0.3.17:443 E4021 0x7ffd 99.3%\n';
const JAPANESE = '駅に着いたのは夜遅く、ホームにはもう誰もいなかった。\n';

function choose(text: string, bytes: number, changes: Partial<AutoRequest> = {}) {
  const { config, reasons } = chooseRecipe({
    profile: profileText(text.repeat(50), bytes),
    budgetSeconds: 120,
    backend: null,
    isWordBenchmark: false,
    ...changes,
  });
  return { ...resolveExperimentInput({ preset: 'auto' }, { ...config, preset: 'auto', reasons }), reasons };
}

describe('what auto chooses', () => {
  test('byte pairs for prose and for scripts without spaces, more of them for longer texts', () => {
    const sizes = [50_000, 500_000, 5_000_000].map((bytes) => {
      const { tokenizer } = choose(PROSE, bytes);
      assert.equal(tokenizer.type, 'byte-pair');
      return tokenizer.vocabularySize!;
    });
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => a - b),
    );
    assert.ok(sizes[0]! < 600 && sizes[2]! > 2000, String(sizes));
    assert.equal(choose(JAPANESE, 150_000).tokenizer.type, 'byte-pair');
  });

  test('characters for logs, and for lists of names', () => {
    assert.equal(choose(LOG, 300_000).tokenizer.type, 'character');
    assert.equal(choose('emma\nolivia\n', 200_000).tokenizer.type, 'character');
  });

  test('words only for a benchmark of words, or where they are asked for', () => {
    assert.equal(choose(PROSE, 5_000_000, { isWordBenchmark: true }).tokenizer.type, 'word');
    assert.equal(choose(PROSE, 5_000_000, { tokenizer: { type: 'word' } }).tokenizer.type, 'word');
  });

  test('for many words what was best on PTB for about as much computing', () => {
    const units = (budgetSeconds: number, instructions: string | null, bytes = 5_000_000) => {
      const backend = { kernels: instructions ? ('fused' as const) : ('composed' as const), instructions };
      return choose(PROSE, bytes, { isWordBenchmark: true, budgetSeconds, backend }).model.hiddenSizes;
    };
    assert.deepEqual(units(60, 'amx'), [200]);
    assert.deepEqual(units(600, 'amx'), [512, 512]);
    assert.deepEqual(units(3600, 'amx'), [650, 650]);
    assert.deepEqual(units(300, 'amx'), [512, 512]);
    assert.deepEqual(units(300, 'avx2'), [200], 'a slower machine reads less in the same time');
    assert.deepEqual(units(3600, 'amx', 200_000), [256], 'fewer words: by the size of the text');
  });

  test('larger models for more text and more time', () => {
    const hidden = (bytes: number, budgetSeconds: number) =>
      choose(PROSE, bytes, { budgetSeconds }).model.hiddenSizes[0]!;
    assert.ok(hidden(20_000, 600) < hidden(200_000, 600));
    assert.ok(hidden(2_000_000, 30) < hidden(2_000_000, 600));
  });

  test('more dropout the more often a text is read', () => {
    const dropout = (bytes: number) => choose(PROSE, bytes).model.dropout.hidden;
    assert.ok(dropout(20_000) > dropout(3_000_000));
  });

  test('a larger rate where there is time for few steps', () => {
    const rate = (bytes: number, budgetSeconds: number) =>
      choose(PROSE, bytes, { budgetSeconds }).optimizer.learningRate;
    assert.deepEqual([rate(1_000_000, 30), rate(3_000_000, 120), rate(20_000, 120)], [0.01, 0.006, 0.003]);
  });

  test('batches that leave an epoch enough steps, for whatever size of text', () => {
    for (const bytes of [3000, 20_000, 100_000, 1_000_000, 10_000_000]) {
      const { training } = choose(LOG, bytes);
      assert.ok(bytes / (training.batchSize * training.bpttLength) >= 12, `${bytes} bytes`);
    }
  });

  test('smaller batches of words than of other tokens, which need fewer updates', () => {
    const tokensPerBatch = (changes: Partial<AutoRequest>) => {
      const { training } = choose(PROSE, 5_000_000, changes);
      return training.batchSize * training.bpttLength;
    };
    assert.deepEqual([tokensPerBatch({ isWordBenchmark: true }), tokensPerBatch({})], [20 * 35, 32 * 64]);
  });

  test('a reason for each choice, in words', () => {
    const { reasons } = choose(PROSE, 500_000);
    assert.ok(reasons.length >= 4);
    assert.match(reasons.join('\n'), /byte pairs with \d+ tokens.*500 kB/);
  });
});
