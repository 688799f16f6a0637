import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TextRow, Trained } from '../../bench/own-text-record.js';
import { ownTextTable } from '../../bench/own-text-table.js';
import { drawRecipe, experimentOf } from '../../bench/random-recipe.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';

const trained = (validBitsPerByte: number, testBitsPerByte: number): Trained => ({
  validBitsPerByte,
  testBitsPerByte,
  seconds: 30,
  sample: '',
});

function row(text: string, auto: Trained, random: TextRow['random']): TextRow {
  const bytes = { train: 900, valid: 50, test: 50 };
  const compressors = { 'gzip -9': { alone: 4, givenTrain: 3 }, 'xz -9e': null };
  return {
    text,
    about: '',
    budgetSeconds: 30,
    seed: 1,
    threads: 2,
    bytes,
    compressors,
    auto,
    random,
    charRnn: null,
  };
}

describe('ownTextTable', () => {
  it('compares auto with the random recipe that is best on valid, by the test figure', () => {
    const better = { 1: trained(1.9, 2), 2: trained(2.1, 1) };
    const table = ownTextTable([
      row('near', trained(2, 2.1), better),
      row('far', trained(2, 2.11), better),
      row('alone', trained(2, 2), {}),
    ]);
    assert.match(
      table,
      /\| near \| 1,000 \| 30 s \| 2\.10 \| 2\.00 of 2 \| – \| 4\.00 \/ 3\.00 \| – \| – \|/,
    );
    assert.match(table, /\| alone \| 1,000 \| 30 s \| 2\.00 \| – \|/);
    assert.match(table, /on 1 of 2 texts/);
  });
});

describe('drawRecipe', () => {
  it('gives the same recipe for the same number, others for others, and always a valid experiment', () => {
    for (const bytes of [18_000, 100_000, 10_000_000]) {
      const drawn = Array.from({ length: 20 }, (_, number) => drawRecipe(1, number, bytes));
      assert.deepEqual(drawRecipe(1, 7, bytes), drawn[7]);
      assert.ok(new Set(drawn.map((recipe) => JSON.stringify(recipe))).size > 15);
      for (const recipe of drawn) {
        assert.ok(recipe.batchSize * recipe.bpttLength * 40 <= bytes);
        const { tokenizer } = resolveExperimentInput({ ...experimentOf(recipe, 30, 1), corpus: 'ptb' });
        assert.equal(tokenizer.type, recipe.tokenizer.type);
      }
    }
  });
});
