import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openModel, type TrainedModel } from '../../src/checkpoints/model-folder.js';
import { type GenerationPart, GenerationTaskRequest } from '../../src/contracts/generation.js';
import { generateText, streamText } from '../../src/generation/generate-text.js';
import { findStop, shownLength } from '../../src/generation/stop-strings.js';
import { testKernels, useBackend } from '../support/backend.js';
import { tinyBundle } from '../support/tiny-bundle.js';

describe('a text that is streamed', () => {
  useBackend();
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-test-'));
  let trained: TrainedModel;
  before(() => {
    tinyBundle(folder);
    trained = openModel(join(folder, 'model'), testKernels());
  });
  after(() => {
    trained.model.dispose();
    rmSync(folder, { recursive: true });
  });

  const requestOf = (fields: object) => {
    const request = GenerationTaskRequest.parse({ prompt: 'the cat', maxTokens: 30, seed: 4, ...fields });
    return { ...request, seed: request.seed! };
  };

  function stream(fields: object, isCancelled?: () => boolean) {
    const parts: GenerationPart[] = [];
    const writing = streamText(trained.model, trained.tokenizer, requestOf(fields), isCancelled);
    for (;;) {
      const { done, value } = writing.next();
      if (done) return { parts, result: value, text: parts.map(({ text }) => text).join('') };
      parts.push(value);
    }
  }

  test('is the text that comes at once, in a piece for each token', () => {
    const { parts, text, result } = stream({});
    const atOnce = generateText(trained.model, trained.tokenizer, requestOf({}));
    assert.deepEqual(result, atOnce);
    assert.equal(text, atOnce.text);
    assert.equal(parts.length, 30);
    assert.equal(result.promptTokens, 2);
  });

  test('never shows what a stop string takes away', () => {
    const whole = stream({}).text;
    const stop = whole.slice(20, 26);
    const cut = whole.indexOf(stop);
    const { text, result } = stream({ stop: [stop] });
    assert.equal(result.finishReason, 'stop');
    assert.equal(text, whole.slice(0, cut));
    assert.equal(result.text, text);
    const never = stream({ stop: [`${whole.slice(3, 9)}|`] });
    assert.equal(never.text, whole, 'what was held back comes when it is no stop string');
  });

  test('ends when nobody reads it any more', () => {
    let asked = 0;
    const { result } = stream({}, () => ++asked > 3);
    assert.deepEqual([result.finishReason, result.tokens], ['cancelled', 3]);
    assert.equal(stream({}, () => true).result.tokens, 0);
  });

  test('has log probabilities that add up to one, of the tokens as they read', () => {
    const size = trained.tokenizer.vocabulary.size;
    const { parts, text, result } = stream({ logprobs: size, suppressUnknown: false });
    const logprobs = result.logprobs!;
    assert.deepEqual(
      parts.flatMap((part) => part.logprobs ?? []),
      logprobs,
    );
    assert.equal(logprobs.map(({ token }) => token).join(''), text);
    for (const { logprob, top } of logprobs) {
      const values = Object.values(top!);
      assert.ok(values.includes(logprob!));
      assert.deepEqual(
        values,
        values.toSorted((a, b) => b - a),
      );
      assert.ok(Math.abs(values.reduce((sum, value) => sum + Math.exp(value), 0) - 1) < 1e-5); // float32 logits
    }
  });

  test('goes on from token ids as from their text, and refuses ids that there are not', () => {
    const ids = [...trained.tokenizer.encode('the cat')];
    assert.equal(stream({ promptIds: ids, prompt: '' }).text, stream({}).text);
    assert.throws(() => stream({ promptIds: [99] }), { code: 'token-id-out-of-range' });
  });

  test('heeds biases and penalties', () => {
    const { ids } = trained.tokenizer.vocabulary;
    const dog = String(ids.get('dog'));
    assert.equal(stream({ logitBias: { [dog]: 100 } }).text, ' dog'.repeat(30));
    assert.doesNotMatch(stream({ logitBias: { [dog]: -100 } }).text, /dog/);
    const once = stream({ temperature: 0, maxTokens: 7, presencePenalty: 100 }).text.match(/\w+|\n/g)!;
    assert.equal(new Set(once).size, 7, 'each of the seven tokens but <unk> comes once');
    const likely = { temperature: 0, maxTokens: 14, logitBias: { [dog]: 50 } };
    assert.equal(stream({ ...likely, presencePenalty: 1 }).text, ' dog'.repeat(14));
    assert.notEqual(stream({ ...likely, frequencyPenalty: 10 }).text, ' dog'.repeat(14));
  });
});

test('a stop string is found where it begins, also across pieces', () => {
  assert.equal(findStop('one two three', ['two', 'three'], 0), 4);
  assert.equal(findStop('one two', ['e t'], 3), 2, 'it begins before what is new');
  assert.equal(findStop('one', ['x'], 0), null);
  assert.equal(shownLength('one tw', ['two']), 4);
  assert.equal(shownLength('aab', ['aabaac', 'bx']), 0);
  assert.equal(shownLength('one', []), 3);
});
