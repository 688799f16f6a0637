import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { ModelConfig } from '../../src/contracts/model.js';
import type { ScoredToken } from '../../src/contracts/score.js';
import { scoreText } from '../../src/evaluation/score-text.js';
import type { Stepwise } from '../../src/evaluation/stepwise.js';
import { type Adaptation, NO_ADAPTATION, SurprisalReader } from '../../src/evaluation/surprisal-reader.js';
import { TextScorer } from '../../src/evaluation/text-scorer.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import type { Tokenizer } from '../../src/tokenizers/tokenizer.js';
import { testKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const TRAIN = `The café’s reply.send("x") isn't 1,000 km => far…  \n\n  日本語 🦊 don't\n ${'a b c the '.repeat(20)}`;
const TOKENIZERS: Readonly<Record<string, unknown>> = {
  words: { type: 'word', minCount: 1 },
  'words in lower case': { type: 'word', minCount: 1, lowercase: true },
  characters: { type: 'character' },
  'byte pairs': { type: 'byte-pair', vocabularySize: 300 },
};
const SGD = { rule: 'sgd', learningRate: 0.3, decay: 0.01, epsilon: 0, segmentLength: 5 } as const;
const ADAPTATIONS: Readonly<Record<string, Adaptation>> = {
  'as it is': NO_ADAPTATION,
  'with a cache, learning': { cache: { window: 9, theta: 0.5, lambda: 0.3 }, dynamic: SGD, statistics: null },
};

function modelOf(tokenizer: Tokenizer): LanguageModel {
  const config = ModelConfig.parse({
    embeddingSize: 6,
    hiddenSizes: [6],
    initialization: 'uniform',
    initializationRange: 0.9,
  });
  return createModel(config, tokenizer.vocabulary.size, {
    kernels: testKernels(),
    seed: 2,
    precision: 'float32',
  });
}

function collect<Result>(steps: Stepwise<Result, ScoredToken[]>, into: ScoredToken[]): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    into.push(...value);
  }
}

function scorePieces(model: LanguageModel, tokenizer: Tokenizer, pieces: string[], adaptation: Adaptation) {
  const reader = new SurprisalReader(model, adaptation);
  const scorer = new TextScorer(tokenizer, reader);
  const tokens: ScoredToken[] = [];
  try {
    for (const piece of pieces) collect(scorer.push(piece), tokens);
    return { tokens, summary: collect(scorer.end(), tokens) };
  } finally {
    reader.dispose();
  }
}

describe('TextScorer', () => {
  useBackend();

  for (const [what, config] of Object.entries(TOKENIZERS)) {
    for (const [how, adaptation] of Object.entries(ADAPTATIONS)) {
      it(`scores a text in ${what} the same however it is cut, ${how}`, () => {
        const tokenizer = createTokenizer(TokenizerConfig.parse(config), TRAIN, 'prose');
        const model = modelOf(tokenizer);
        const part = fc.constantFrom(...[...TRAIN], ' the ', "it's", '\n \n', '  ', '!==', '\u3000', 'É');
        fc.assert(
          fc.property(
            fc.array(part, { minLength: 1, maxLength: 60 }).map((parts) => `x${parts.join('')}`),
            fc.array(fc.nat({ max: 60 }), { maxLength: 5 }),
            (text, cuts) => {
              const characters = [...text]; // pieces of UTF-8 have no half characters
              const places = [0, ...cuts.map((cut) => cut % characters.length).sort((a, b) => a - b)];
              const pieces = places.map((at, index) =>
                characters.slice(at, places[index + 1] ?? characters.length).join(''),
              );
              assert.equal(pieces.join(''), text);
              const whole = scoreText(model, tokenizer, text, { adaptation });
              const { tokens, summary } = expectNoTensorLeak(() =>
                scorePieces(model, tokenizer, pieces, adaptation),
              );
              assert.deepEqual(tokens, whole.tokens); // to the last bit
              assert.equal(summary.perplexity, whole.perplexity);
              assert.equal(summary.bitsPerByte, whole.bitsPerByte);
              assert.equal(summary.bytes, Buffer.byteLength(text));
              assert.equal(summary.tokens, tokens.length);
            },
          ),
          { numRuns: 40 },
        );
        model.dispose();
      });
    }
  }

  it('gives up on a word without an end, and says where it began', () => {
    const tokenizer = createTokenizer(TokenizerConfig.parse({ type: 'word', minCount: 1 }), TRAIN, 'prose');
    const model = modelOf(tokenizer);
    const pieces = ['a b ', ...Array.from({ length: 20 }, () => 'x'.repeat(100_000))];
    assert.throws(() => scorePieces(model, tokenizer, pieces, NO_ADAPTATION), {
      code: 'word-too-long',
      message: /after byte 4/,
    });
    model.dispose();
  });

  it('names unknown words and charges for spelling them, in bits per byte alone', () => {
    const tokenizer = createTokenizer(
      TokenizerConfig.parse({ type: 'word', minCount: 1 }),
      'a b c\n',
      'prose',
    );
    const model = modelOf(tokenizer);
    const { perplexity, bitsPerByte, unknownWords, tokens } = scoreText(
      model,
      tokenizer,
      'a blorptang b wug\n',
    );
    assert.deepEqual(unknownWords, ['blorptang', 'wug']);
    const nats = tokens.reduce((sum, { surprisal }) => sum + surprisal, 0);
    const spelling = tokens.map((token) => token.spelling ?? 0);
    assert.deepEqual(
      tokens.map(({ unknown }) => unknown),
      [undefined, 'blorptang', undefined, 'wug', undefined],
    );
    assert.ok(spelling[1]! > 50 && spelling[3]! > 15 && spelling[0] === 0);
    assert.ok(Math.abs(perplexity! - Math.exp(nats / tokens.length)) < 1e-9);
    const charged = (nats + spelling[1]! + spelling[3]!) / Math.LN2 / 18;
    assert.ok(Math.abs(bitsPerByte - charged) < 1e-9);
    assert.ok(bitsPerByte > scoreText(model, tokenizer, 'a b c b a c b a c\n').bitsPerByte);
    model.dispose();
  });
});
