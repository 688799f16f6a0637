import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bitsPerByte, evaluate } from '../../src/evaluation/evaluate.js';
import { scoreText } from '../../src/evaluation/score-text.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { wordTokenizerOf } from '../../src/tokenizers/create-tokenizer.js';
import { UnknownWordCoder } from '../../src/tokenizers/unknown-word-coder.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { tinyText, tinyTraining, VOCABULARY } from '../support/tiny-training.js';

/** Losses of size 3 in float32, summed in another order. */
const TOLERANCE = 2e-6;
const TEXT = tinyText(53);

/** A model whose predictions differ from one another, with all dropouts, which must not act. */
function modelOf(): LanguageModel {
  const dropout = { input: 0.5, hidden: 0.5, output: 0.5, embedding: 0.5, recurrentWeights: 0.5 };
  const { trainer, model } = tinyTraining({
    model: { hiddenSizes: [7, 6], initialization: 'uniform', initializationRange: 1, dropout },
  });
  trainer.dispose();
  return model;
}

/** Token by token, one stream after another, each from an empty state. @param starts of the streams */
function naiveLoss(model: LanguageModel, starts: readonly number[], end = TEXT.length - 1) {
  let sum = 0;
  let tokens = 0;
  starts.forEach((start, stream) => {
    model.putState(null);
    for (let at = start; at < (starts[stream + 1] ?? end); at++) {
      const batch = { inputs: TEXT.slice(at, at + 1), targets: TEXT.slice(at + 1, at + 2) };
      sum += model.losses({ ...batch, time: 1, batchSize: 1 })[0]!;
      tokens += 1;
    }
  });
  model.putState(null);
  return { loss: sum / tokens, tokens };
}

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < TOLERANCE, `${actual}, not ${expected}`);

describe('evaluate', () => {
  useBackend();
  for (const kernels of KERNELS) {
    it(`is the mean over every token but the first, whatever the length of a batch, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const model = modelOf();
          const expected = naiveLoss(model, [0]);
          for (const bpttLength of [1, 5, 13, 52, 1000]) {
            const result = evaluate(model, TEXT, { batchSize: 1, bpttLength, counting: 'exact' });
            assert.equal(result.tokens, 52);
            close(result.loss, expected.loss);
            assert.equal(result.perplexity, Math.exp(result.loss));
          }
          model.dispose();
        }),
      ));

    it(`counts every token once in any number of streams, each from an empty state, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const model = modelOf();
          for (const batchSize of [2, 3, 5, 51, 52, 500]) {
            const streams = Math.min(batchSize, 52);
            const starts = Array.from(
              { length: streams },
              (_, n) => n * Math.floor(52 / streams) + Math.min(n, 52 % streams),
            );
            const expected = naiveLoss(model, starts);
            assert.equal(expected.tokens, 52);
            for (const bpttLength of [4, 1000]) {
              const result = evaluate(model, TEXT, { batchSize, bpttLength, counting: 'exact' });
              assert.equal(result.tokens, 52);
              close(result.loss, expected.loss);
            }
          }
          model.dispose();
        }),
      ));
  }

  it('counts as the book does: whole batches only', () => {
    const model = modelOf();
    // 52 predictions in 3 streams of 17, 4 batches of 4 steps each
    const result = evaluate(model, TEXT, { batchSize: 3, bpttLength: 4, counting: 'book' });
    assert.equal(result.tokens, 48);
    const sums = [0, 17, 34].map((start) => naiveLoss(model, [start], start + 16).loss * 16);
    close(result.loss, sums.reduce((sum, value) => sum + value, 0) / 48);
    model.dispose();
  });

  it('leaves the model’s own state as it was, also when it fails', () => {
    expectNoTensorLeak(() => {
      const model = modelOf();
      const batch = { inputs: TEXT.slice(0, 8), targets: TEXT.slice(1, 9), time: 8, batchSize: 1 };
      model.losses(batch);
      const expected = model.losses(batch);
      model.putState(null);
      model.losses(batch);
      const reading = { batchSize: 2, bpttLength: 8, counting: 'exact' } as const;
      evaluate(model, TEXT, reading);
      assert.throws(() => evaluate(model, TEXT.subarray(0, 1), reading), {
        code: 'corpus-too-short',
        message: 'The test split has 1 tokens; at least 2 are needed',
      });
      const strange = Int32Array.of(1, 2, VOCABULARY, 3);
      assert.throws(() => evaluate(model, strange, reading), { code: 'token-id-out-of-range' });
      assert.deepEqual(model.losses(batch), expected);
      model.dispose();
    });
  });
});

describe('bitsPerByte', () => {
  it('turns nats a token into bits a byte', () => {
    assert.equal(bitsPerByte(Math.LN2, 10, 20), 0.5);
    assert.equal(bitsPerByte(3 * Math.LN2, 4, 6), 2);
  });
});

describe('scoreText', () => {
  useBackend();
  const words = ['<eos>', '<unk>', ...'abcdefghijk'];
  const tokenizer = wordTokenizerOf(words);

  it('is evaluate of the same tokens, token by token, in nats, from the beginning of a line', () => {
    expectNoTensorLeak(() => {
      const model = modelOf();
      const text = 'a b c\nk é a';
      const result = scoreText(model, tokenizer, text);
      const ids = Int32Array.from([0, ...tokenizer.encode(text)]);
      const whole = evaluate(model, ids, { batchSize: 1, bpttLength: 100, counting: 'exact' });
      const sum = result.tokens.reduce((total, { surprisal }) => total + surprisal, 0);
      assert.equal(result.tokens.length, whole.tokens);
      close(sum / result.tokens.length, whole.loss);
      close(result.perplexity!, whole.perplexity!);
      const spelling = new UnknownWordCoder().charge('é');
      close(result.bitsPerByte, bitsPerByte(whole.loss, whole.tokens, Buffer.byteLength(text), spelling));
      const bytes = Buffer.from(text);
      const pieces = result.tokens.map(({ token, start, end }) => [
        token,
        bytes.toString('utf8', start, end),
      ]);
      assert.deepEqual(pieces[0], ['a', 'a']);
      assert.ok(pieces.some(([token, piece]) => token === '<unk>' && piece === 'é'));
      model.dispose();
    });
  });

  it('reads a text longer than a block as one, and does not see what was read before', () => {
    const model = modelOf();
    const text = Array.from({ length: 700 }, (_, i) => words[2 + ((i * i) % 11)]).join(' ');
    const first = scoreText(model, tokenizer, text);
    model.read(Int32Array.of(1, 2, 3));
    const second = scoreText(model, tokenizer, text);
    assert.deepEqual(second, first);
    const ids = Int32Array.from([0, ...tokenizer.encode(text)]);
    const whole = evaluate(model, ids, { batchSize: 1, bpttLength: 64, counting: 'exact' });
    assert.equal(first.tokens.length, 700);
    assert.ok(Math.abs(Math.log(first.perplexity!) - whole.loss) < TOLERANCE);
    model.dispose();
  });

  it('refuses a text without a token', () => {
    const model = modelOf();
    assert.throws(() => scoreText(model, tokenizer, '  '), { code: 'corpus-too-short' });
    model.dispose();
  });
});
