import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { RankRequest } from '../../src/contracts/score.js';
import { rankAlternatives } from '../../src/evaluation/rank-alternatives.js';
import { scoreText } from '../../src/evaluation/score-text.js';
import { runToEnd } from '../../src/evaluation/stepwise.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { createTokenizer, wordTokenizerOf } from '../../src/tokenizers/create-tokenizer.js';
import type { Tokenizer } from '../../src/tokenizers/tokenizer.js';
import { testKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const WORDS = wordTokenizerOf(['<eos>', '<unk>', ...'abcdefg']);
const BYTE_PAIRS = createTokenizer(
  TokenizerConfig.parse({ type: 'byte-pair', vocabularySize: 270 }),
  'the cat sat on the mat, the hat '.repeat(20),
  'prose',
);

function modelOf(tokenizer: Tokenizer): LanguageModel {
  const config = ModelConfig.parse({
    embeddingSize: 6,
    hiddenSizes: [6, 5],
    initialization: 'uniform',
    initializationRange: 0.9,
  });
  return createModel(config, tokenizer.vocabulary.size, {
    kernels: testKernels(),
    seed: 2,
    precision: 'float32',
  });
}

/** ln p of what comes after the prompt, from the surprisal of each token of the whole text. */
function naive(model: LanguageModel, tokenizer: Tokenizer, prompt: string, alternative: string) {
  const { tokens } = scoreText(model, tokenizer, prompt + alternative);
  const own = tokens.filter(({ end }) => end > Buffer.byteLength(prompt));
  const nats = own.reduce((sum, { surprisal, spelling = 0 }) => sum + surprisal + spelling, 0);
  return { logprob: -nats, tokens: own.length };
}

describe('rankAlternatives', () => {
  useBackend();
  const long = Array.from({ length: 300 }, (_, i) => 'abcdefg'[(i * i) % 7]).join(' ');
  const cases = {
    words: [WORDS, 'a b c ', ['a', 'b c d', 'e', 'é']],
    'words after a long prompt': [WORDS, `${long} `, ['a b', long, 'a c']],
    'words without a prompt': [WORDS, '', ['a', 'b']],
    'byte pairs that reach over the end of the prompt': [BYTE_PAIRS, 'the c', ['at', 'ar', ' at']],
  } as const;

  for (const [what, [tokenizer, prompt, alternatives]] of Object.entries(cases)) {
    it(`is the score of the whole text less that of the prompt: ${what}`, () => {
      const model = modelOf(tokenizer);
      const request = RankRequest.parse({ prompt, alternatives });
      scoreText(model, tokenizer, 'a'); // the model packs its weights at the first reading, and keeps them
      const { items } = expectNoTensorLeak(() => runToEnd(rankAlternatives(model, tokenizer, request)));
      assert.equal(items.length, alternatives.length);
      for (const item of items) {
        const expected = naive(model, tokenizer, prompt, alternatives[item.index]!);
        assert.equal(item.alternative, alternatives[item.index]);
        assert.equal(item.tokens, expected.tokens);
        assert.ok(Math.abs(item.logprob - expected.logprob) < 1e-9 * Math.max(1, -expected.logprob));
        assert.ok(Math.abs(item.perplexity! - Math.exp(-item.logprob / item.tokens)) < 1e-9);
      }
      assert.deepEqual(
        items.map(({ logprob }) => logprob),
        items.map(({ logprob }) => logprob).sort((a, b) => b - a),
      );
      assert.ok(Math.abs(items.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
      model.dispose();
    });
  }

  it('sorts by the mean of a token or a byte where it is asked to', () => {
    const model = modelOf(WORDS);
    const alternatives = ['a', 'b c d e f g', 'ééé'];
    for (const [by, unit] of [
      ['token', (item: { tokens: number }) => item.tokens],
      ['byte', (item: { alternative: string }) => Buffer.byteLength(item.alternative)],
    ] as const) {
      const request = RankRequest.parse({ prompt: 'a ', alternatives, by });
      const { items } = runToEnd(rankAlternatives(model, WORDS, request));
      const values = items.map((item) => item.logprob / unit(item));
      assert.deepEqual(
        values,
        values.toSorted((a, b) => b - a),
      );
    }
    model.dispose();
  });

  it('names an alternative that has no token', () => {
    const model = modelOf(WORDS);
    const request = RankRequest.parse({ prompt: 'a', alternatives: ['b', '  '] });
    assert.throws(() => runToEnd(rankAlternatives(model, WORDS, request)), {
      code: 'config-conflict',
      message: 'alternatives.1: it has no token',
    });
    model.dispose();
  });

  it('lets an invented word lose, though <unk> is likely, and names it', () => {
    const model = modelOf(WORDS);
    const alternatives = [...'abcdefg', 'blorptang', 'wug blorptang'];
    const { items } = runToEnd(
      rankAlternatives(model, WORDS, RankRequest.parse({ prompt: 'a ', alternatives })),
    );
    assert.deepEqual(
      items.slice(-2).map(({ alternative }) => alternative),
      ['blorptang', 'wug blorptang'],
    );
    assert.deepEqual(items.at(-1)!.unknownWords, ['wug', 'blorptang']);
    assert.deepEqual(items[0]!.unknownWords, []);
    assert.ok(items.at(-2)!.share < 1e-15);
    model.dispose();
  });
});
