import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BeamSearchRequest, GenerationRequest } from '../../src/contracts/generation.js';
import { runToEnd } from '../../src/evaluation/stepwise.js';
import { searchBeams } from '../../src/generation/beam-search.js';
import { generateText } from '../../src/generation/generate-text.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import { wordTokenizerOf } from '../../src/tokenizers/create-tokenizer.js';
import { useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { createTinyModel } from '../support/tiny-model.js';

const WORDS = ['<eos>', '<unk>', ...'abcdefg'];
const tokenizer = wordTokenizerOf(WORDS);
/** float32 sums in another order. */
const TOLERANCE = 1e-5;

function search(model: LanguageModel, fields: object) {
  return runToEnd(searchBeams(model, tokenizer, BeamSearchRequest.parse(fields)));
}

/** ln p of some ids after the prompt, each by itself. */
function logprobOf(model: LanguageModel, prompt: readonly number[], ids: readonly number[]): number {
  const all = [0, ...prompt, ...ids];
  model.putState(null);
  const losses = model.losses({
    inputs: Int32Array.from(all.slice(0, -1)),
    targets: Int32Array.from(all.slice(1)),
    time: all.length - 1,
    batchSize: 1,
  });
  model.putState(null);
  return -losses.subarray(prompt.length).reduce((sum, loss) => sum + loss, 0);
}

/** All texts of so many tokens over the eight words that may be written. */
function* allTexts(tokens: number): Generator<number[]> {
  if (tokens === 0) yield [];
  else
    for (const rest of allTexts(tokens - 1))
      for (let id = 0; id < WORDS.length; id++) if (id !== 1) yield [id, ...rest];
}

describe('searchBeams', () => {
  useBackend();

  it('finds the likeliest texts of all where the beams hold every text but the last token', () => {
    const model = createTinyModel();
    const prompt = [2, 5];
    const expected = [...allTexts(3)]
      .map((ids) => ({ ids, logprob: logprobOf(model, prompt, ids) }))
      .sort((a, b) => b.logprob - a.logprob)
      .slice(0, 10);
    const { choices, promptTokens } = expectNoTensorLeak(() =>
      search(model, { prompt: 'a d', maxTokens: 3, beams: 64, n: 10 }),
    );
    assert.equal(promptTokens, 2);
    assert.equal(choices.length, 10);
    choices.forEach(({ logprob, tokens, finishReason }, index) => {
      assert.ok(Math.abs(logprob - expected[index]!.logprob) < TOLERANCE);
      assert.deepEqual([tokens, finishReason], [3, 'length']);
    });
    const [best] = expected;
    const words = best!.ids.map((id) => (id === 0 ? '\n' : WORDS[id]));
    assert.equal(choices[0]!.text.replace(/ /g, ''), words.join('').replace(/ /g, ''));
    model.dispose();
  });

  it('ends texts at a stop string, and prefers what the length penalty says', () => {
    const model = createTinyModel();
    const ends = [...allTexts(1), ...allTexts(2), ...allTexts(3)]
      .map((ids) => ({ ids, logprob: logprobOf(model, [], ids) }))
      .filter(({ ids }) => !ids.slice(0, -1).includes(0) && (ids.at(-1) === 0 || ids.length === 3));
    for (const lengthPenalty of [0, 1]) {
      const [best] = ends.sort(
        (a, b) => b.logprob / b.ids.length ** lengthPenalty - a.logprob / a.ids.length ** lengthPenalty,
      );
      const { choices } = search(model, { maxTokens: 3, beams: 64, lengthPenalty, stop: ['\n'] });
      const [found] = choices;
      assert.ok(Math.abs(found!.logprob - best!.logprob) < TOLERANCE, `penalty ${lengthPenalty}`);
      assert.equal(found!.tokens, best!.ids.length);
      assert.equal(found!.finishReason, best!.ids.at(-1) === 0 ? 'stop' : 'length');
      assert.doesNotMatch(found!.text, /\n/);
    }
    model.dispose();
  });

  it('with one beam is greedy, and never less likely with more', () => {
    const model = createTinyModel();
    const [greedy] = search(model, { prompt: 'c', maxTokens: 12, beams: 1 }).choices;
    const drawn = generateText(model, tokenizer, {
      ...GenerationRequest.parse({ prompt: 'c', maxTokens: 12, temperature: 0 }),
      seed: 1,
    });
    assert.equal(greedy!.text, drawn.text);
    const [searched] = search(model, { prompt: 'c', maxTokens: 12, beams: 8 }).choices;
    assert.ok(searched!.logprob >= greedy!.logprob);
    assert.deepEqual(search(model, { prompt: 'c', maxTokens: 12, beams: 8 }).choices[0], searched);
    model.dispose();
  });
});
