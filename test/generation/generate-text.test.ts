import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { GenerationRequest } from '../../src/contracts/generation.js';
import { generateText, generateTokens } from '../../src/generation/generate-text.js';
import { promptIds } from '../../src/generation/text-writing.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import type { Tokenizer } from '../../src/tokenizers/tokenizer.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { tinyTraining } from '../support/tiny-training.js';

const TEXT = 'the cat sat on the mat, and the dog sat on the cat.\nthe mat was red; é was not — “so”.\n';
const TOKENIZERS: Record<string, Tokenizer> = Object.fromEntries(
  [
    { type: 'word', vocabularySize: 12 },
    { type: 'character' },
    { type: 'byte-pair', vocabularySize: 270 },
  ].map((config) => [config.type, createTokenizer(TokenizerConfig.parse(config), TEXT.repeat(3), 'prose')]),
);

/** A model that knows nothing, but has opinions, and remembers what it read. */
function modelFor({ vocabulary }: Tokenizer): LanguageModel {
  const { trainer, model } = tinyTraining({
    vocabularySize: vocabulary.size,
    model: { initialization: 'uniform', initializationRange: 2, forgetBias: 3 },
  });
  trainer.dispose();
  return model;
}

function requestOf(fields: object) {
  const request = GenerationRequest.parse({ maxTokens: 20, prompt: 'the cat', ...fields });
  return { ...request, seed: request.seed ?? 1 };
}

describe('generateText', () => {
  useBackend();
  for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
    it(`gives the same text for the same seed, others for others, whatever was read before: ${name} tokens`, () =>
      expectNoTensorLeak(() => {
        const model = modelFor(tokenizer);
        const texts = [1, 2, 3, 4, 5].map((seed) => generateText(model, tokenizer, requestOf({ seed })).text);
        assert.ok(new Set(texts).size > 3);
        model.read(Int32Array.of(0, 1, 2));
        assert.equal(generateText(model, tokenizer, requestOf({ seed: 3 })).text, texts[2]);
        assert.equal(model.takeState(), null, 'it leaves no state');
        model.dispose();
      }));

    it(`goes on from the prompt, so that both read as one: ${name} tokens`, () =>
      expectNoTensorLeak(() => {
        const model = modelFor(tokenizer);
        for (const prompt of ['', 'the', 'the cat ', 'the cat sat on the mat,', 'é — “']) {
          const request = requestOf({ prompt, suppressUnknown: false });
          const context = promptIds(tokenizer, prompt);
          assert.equal(context[0], tokenizer.vocabulary.eosId);
          const ids = [...generateTokens(model, tokenizer, context, request)];
          const { text, tokens, finishReason } = generateText(model, tokenizer, request);
          assert.equal(tokens, 20);
          assert.equal(finishReason, 'length');
          // words lose the spacing of what was typed: so does decoding what was read
          const [eos, ...prompted] = context;
          const before = tokenizer.createDecoder();
          before.push(eos!);
          const read = prompted.map((id) => before.push(id)).join('');
          const whole = tokenizer.createDecoder();
          whole.push(eos!);
          const expected = [...prompted, ...ids].map((id) => whole.push(id)).join('') + whole.end();
          const space = name === 'word' && prompt.endsWith(' ') ? ' ' : ''; // the prompt has it already
          assert.equal(read + space + text, expected);
          if (name !== 'word') assert.equal(read, prompt);
        }
        model.dispose();
      }));
  }

  const words = TOKENIZERS.word!;

  for (const kernels of KERNELS) {
    it(`takes the likeliest token at temperature 0, as a plain loop does, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const model = modelFor(words);
          const request = requestOf({ temperature: 0, suppressUnknown: false });
          for (const text of ['', 'the cat sat', 'red was the mat and the dog sat', 'on on on sat']) {
            const prompt = promptIds(words, text);
            const ids = [...generateTokens(model, words, prompt, request)];
            assert.deepEqual(ids, greedily(model, prompt, 20));
          }
          model.dispose();
        }),
      ));
  }

  it('reads a prompt longer than a block as one', () => {
    const model = modelFor(words);
    const prompt = promptIds(words, 'the cat sat on the mat , '.repeat(200));
    assert.ok(prompt.length > 1025);
    const request = requestOf({ temperature: 0, suppressUnknown: false });
    assert.deepEqual([...generateTokens(model, words, prompt, request)], greedily(model, prompt, 20));
    model.dispose();
  });

  it('stops before a stop string, the earliest of several, even within a token', () => {
    const model = modelFor(words);
    const whole = generateText(model, words, requestOf({})).text;
    const [early, late] = [whole.slice(12, 15), whole.slice(30, 34)];
    const { text, finishReason, tokens } = generateText(model, words, requestOf({ stop: [late, early] }));
    assert.equal(text, whole.slice(0, Math.min(...[early, late].map((stop) => whole.indexOf(stop)))));
    assert.equal(finishReason, 'stop');
    assert.ok(tokens < 20);
    assert.equal(generateText(model, words, requestOf({ stop: ['no such text'] })).text, whole);
    model.dispose();
  });

  it('never writes the unknown word unless it may', () => {
    const model = modelFor(words);
    const { unknownId } = words.vocabulary;
    const bias = new Float32Array(words.vocabulary.size);
    bias[unknownId!] = 1000;
    model.parameters.find(({ name }) => name === 'output.b')!.assign(tf.tensor1d(bias));
    const request = (suppressUnknown: boolean) => requestOf({ suppressUnknown, prompt: '' });
    const context = promptIds(words, '');
    const ids = (suppressUnknown: boolean) => [
      ...generateTokens(model, words, context, request(suppressUnknown)),
    ];
    assert.ok(ids(false).every((id) => id === unknownId));
    assert.ok(ids(true).every((id) => id !== unknownId));
    model.dispose();
  });

  it('names the words of the prompt that it does not know', () => {
    const model = modelFor(words);
    const { unknownWords } = generateText(model, words, requestOf({ prompt: 'the zebra sat on zebra Ω' }));
    assert.ok(unknownWords.includes('zebra') && unknownWords.includes('Ω') && !unknownWords.includes('the'));
    model.dispose();
  });

  it('frees the state when its reader stops early', () =>
    expectNoTensorLeak(() => {
      const model = modelFor(words);
      for (const id of generateTokens(model, words, promptIds(words, 'the'), requestOf({}))) {
        assert.ok(id >= 0);
        break;
      }
      assert.equal(model.takeState(), null);
      model.dispose();
    }));
});

/** The likeliest token after all those before it, one after another. */
function greedily(model: LanguageModel, prompt: Int32Array, count: number): number[] {
  model.putState(null);
  const all = [...prompt];
  for (let at = 0; all.length < prompt.length + count; at++) {
    const next = tf.tidy(() => model.nextLogits(Int32Array.of(all[at]!)).dataSync().slice());
    if (at >= prompt.length - 1) all.push(next.indexOf(Math.max(...next)));
  }
  model.putState(null);
  return all.slice(prompt.length);
}
