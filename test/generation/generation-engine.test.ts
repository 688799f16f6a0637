import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseVocabularyLines } from '../../src/checkpoints/pytorch-vocabulary.js';
import { type GenerationPart, GenerationTaskRequest } from '../../src/contracts/generation.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { generateText } from '../../src/generation/generate-text.js';
import { GenerationEngine } from '../../src/generation/generation-engine.js';
import { prefixKeys } from '../../src/generation/prompt-cache.js';
import { type TextRequest, TextWriting } from '../../src/generation/text-writing.js';
import { createModel } from '../../src/models/create-model.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { onKernels, testKernels, useBackend } from '../support/backend.js';
import { cleanUp } from '../support/clean-up.js';

const LIMITS = { streams: 64, promptCacheBytes: 1 << 20 };
const WORDS = Array.from({ length: 300 }, (_, index) => `w${index}`);
const tokenizer = parseVocabularyLines(['<unk>', '<eos>', ...WORDS, ''].join('\n'));

function buildModel(precision: 'float32' | 'bfloat16' = 'float32'): LanguageModel {
  const config = ModelConfig.parse({ embeddingSize: 24, hiddenSizes: [40, 24], tieWeights: true });
  return createModel(config, tokenizer.vocabulary.size, { kernels: testKernels(), seed: 3, precision });
}

/** Requests that differ in everything. */
function requestOf(index: number, fields: Partial<TextRequest> = {}): TextRequest {
  const request = GenerationTaskRequest.parse({
    prompt: WORDS.slice(index, index + (index % 5) * 40).join(' '),
    maxTokens: 5 + ((index * 7) % 23),
    seed: index,
    temperature: index % 4 === 0 ? 0 : 1.5,
    topK: index % 3 === 0 ? 10 : 0,
    ...(index % 4 === 1 && { logprobs: 2 }),
  });
  return { ...request, seed: index, ...fields };
}

describe('a generation engine', () => {
  useBackend();

  for (const precision of ['float32', 'bfloat16'] as const) {
    test(`writes side by side, to the last bit, what each text is alone (${precision})`, async (t) => {
      const model = buildModel(precision);
      cleanUp(t, () => model.dispose());
      const engine = new GenerationEngine(model, { ...LIMITS, streams: 9 });
      cleanUp(t, () => engine.dispose());
      const requests = Array.from({ length: 24 }, (_, index) => requestOf(index));
      const alone = requests.map((request) => generateText(model, tokenizer, request));
      const parts = requests.map((): GenerationPart[] => []);
      const together = await Promise.all(
        requests.map((request, index) =>
          engine.run(new TextWriting(tokenizer, request), { onPart: (part) => parts[index]!.push(part) }),
        ),
      );
      assert.deepEqual(together, alone);
      assert.deepEqual(
        parts.map((list) => list.map(({ text }) => text).join('')),
        alone.map(({ text }) => text),
      );
      assert.equal(engine.open, 0);
    });
  }

  test('does so where all of them draw among few tokens', async (t) => {
    const model = buildModel();
    cleanUp(t, () => model.dispose());
    const engine = new GenerationEngine(model, LIMITS);
    cleanUp(t, () => engine.dispose());
    const requests = Array.from({ length: 16 }, (_, index) => {
      const request = requestOf(index, { topK: 3 * index + 1, suppressUnknown: index % 2 === 0 });
      return { ...request, logprobs: undefined };
    });
    // One that wants all logits, so that the others get them, too.
    const other = requestOf(1, { maxTokens: 100, topK: 0 });
    const write = (some: readonly TextRequest[]) =>
      Promise.all(some.map((request) => engine.run(new TextWriting(tokenizer, request))));
    const among = await write([...requests, other]);
    assert.deepEqual(await write(requests), among.slice(0, -1));
    assert.deepEqual(
      requests.map((request) => generateText(model, tokenizer, request)),
      among.slice(0, -1),
    );
  });

  test('does so with composed ops, too', (t) =>
    onKernels('composed', t, async () => {
      const model = buildModel();
      cleanUp(t, () => model.dispose());
      assert.equal(model.rowsAreIndependent, false);
      const engine = new GenerationEngine(model, LIMITS);
      const requests = Array.from({ length: 7 }, (_, index) => requestOf(index));
      const alone = requests.map((request) => generateText(model, tokenizer, request));
      const together = await Promise.all(
        requests.map((request) => engine.run(new TextWriting(tokenizer, request))),
      );
      assert.deepEqual(together, alone);
      engine.dispose();
    }));

  test('reads a prompt, or its beginning, only once', async (t) => {
    const model = buildModel();
    cleanUp(t, () => model.dispose());
    const engine = new GenerationEngine(model, LIMITS);
    cleanUp(t, () => engine.dispose());
    const prompt = WORDS.join(' ');
    const run = (text: string) => engine.run(new TextWriting(tokenizer, requestOf(1, { prompt: text })));
    const read = t.mock.method(model, 'read');
    const first = await run(prompt);
    assert.equal(read.mock.callCount(), 5);
    assert.deepEqual(await run(prompt), first);
    assert.equal(read.mock.callCount(), 5, 'the whole prompt was known');
    const longer = await run(`${prompt} w1 w2`);
    assert.equal(read.mock.callCount(), 6, 'all but its last block was known');
    assert.deepEqual(longer, generateText(model, tokenizer, requestOf(1, { prompt: `${prompt} w1 w2` })));
  });

  test('forgets the least recently used prompts beyond its memory', async (t) => {
    const model = buildModel();
    cleanUp(t, () => model.dispose());
    const bytesOfState = 2 * 4 * (40 + 24);
    const engine = new GenerationEngine(model, { ...LIMITS, promptCacheBytes: 2 * bytesOfState });
    cleanUp(t, () => engine.dispose());
    const run = (prompt: string) => engine.run(new TextWriting(tokenizer, requestOf(1, { prompt })));
    const read = t.mock.method(model, 'read');
    for (const word of ['w1', 'w2', 'w1', 'w3', 'w1', 'w2']) await run(`${word} w9`);
    assert.deepEqual(read.mock.callCount(), 4, 'w1, w2 and w3, and w2 again');
  });

  test('lets a text leave at its next token, and one that fails fail alone', async (t) => {
    const model = buildModel();
    cleanUp(t, () => model.dispose());
    const engine = new GenerationEngine(model, LIMITS);
    cleanUp(t, () => engine.dispose());
    let tokens = 0;
    const leaving = engine.run(new TextWriting(tokenizer, requestOf(1, { maxTokens: 1000 })), {
      onPart: () => {
        tokens++;
      },
      isCancelled: () => tokens >= 3,
    });
    const staying = engine.run(new TextWriting(tokenizer, requestOf(2)));
    const never = engine.run(new TextWriting(tokenizer, requestOf(3)), { isCancelled: () => true });
    assert.deepEqual([(await leaving).finishReason, (await leaving).tokens], ['cancelled', 3]);
    assert.deepEqual(await staying, generateText(model, tokenizer, requestOf(2)));
    assert.deepEqual([(await never).finishReason, (await never).tokens], ['cancelled', 0]);

    for (const method of ['nextLogits', 'nextTokens'] as const) {
      t.mock.method(model, method, () => {
        throw new Error('no memory');
      });
    }
    await assert.rejects(engine.run(new TextWriting(tokenizer, requestOf(4))), /no memory/);
    t.mock.restoreAll();
    assert.deepEqual(
      await engine.run(new TextWriting(tokenizer, requestOf(4))),
      generateText(model, tokenizer, requestOf(4)),
    );
  });

  test('keeps no tensor but those of its prompts, and leaves the state of the model as it was', async (t) => {
    const model = buildModel();
    cleanUp(t, () => model.dispose());
    model.read(Int32Array.of(1, 2, 3));
    const before = tf.memory().numTensors;
    const engine = new GenerationEngine(model, LIMITS);
    const texts = Array.from({ length: 12 }, (_, index) => new TextWriting(tokenizer, requestOf(index)));
    await Promise.all(texts.map((text) => engine.run(text)));
    engine.dispose();
    const packed = 5; // the weights of two LSTM layers and of the output, packed at their first use
    assert.ok(
      tf.memory().numTensors <= before + packed,
      `${tf.memory().numTensors - before} tensors are left`,
    );
    const kept = model.takeState();
    assert.equal(kept?.streams, 1);
    model.putState(kept);
  });
});

test('the keys of a prompt are those of its beginnings', () => {
  const ids = Int32Array.from({ length: 150 }, (_, index) => index);
  const keys = prefixKeys(ids, 64, 10);
  assert.deepEqual(
    keys.map(({ length }) => length),
    [64, 128, 150],
  );
  assert.deepEqual(prefixKeys(ids.subarray(0, 128), 64, 10), keys.slice(0, 2));
  assert.deepEqual(
    prefixKeys(ids, 64, 1).map(({ length }) => length),
    [64, 150],
  );
  assert.notEqual(
    prefixKeys(
      ids.map((id) => id + 1),
      64,
      10,
    )[0]!.key,
    keys[0]!.key,
  );
});
