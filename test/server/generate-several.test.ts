/** Many texts at once, with the real worker on a tiny model. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import request from 'supertest';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { type ServiceOptions, startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

describe('many texts at once', () => {
  useBackend();

  async function start(t: TestContext, options: ServiceOptions = {}) {
    const service = await startService(t, { executor: inProcess, ...options });
    const model = Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!);
    await request(service.address)
      .post('/experiments/import')
      .attach('model', model, 'model')
      .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
      .field('name', 'tiny')
      .expect(201);
    const generate = (fields: object) =>
      request(service.address)
        .post('/generate')
        .send({ experiment: 'tiny', prompt: 'the cat', maxTokens: 20, ...fields });
    return { service, generate };
  }

  test('each client gets the text that it would get alone', async (t) => {
    const { generate } = await start(t);
    const seeds = Array.from({ length: 16 }, (_, seed) => seed);
    const alone: string[] = [];
    for (const seed of seeds) alone.push((await generate({ seed })).body.text);
    const together = await Promise.all(seeds.map(async (seed) => (await generate({ seed })).body.text));
    assert.deepEqual(together, alone);
    assert.ok(new Set(alone).size > 8, 'the texts differ');
  });

  test('n texts have seeds one after another; the first is the answer', async (t) => {
    const { generate } = await start(t);
    const { body } = await generate({ n: 3, seed: 7 }).expect(200);
    assert.equal(body.choices.length, 3);
    assert.equal(body.text, body.choices[0].text);
    for (const [index, choice] of body.choices.entries()) {
      const { body: one } = await generate({ seed: 7 + index }).expect(200);
      assert.deepEqual([choice.seed, choice.text, one.choices], [7 + index, one.text, undefined]);
    }
    const { text } = await generate({ n: 2, seed: 7 }).set('accept', 'text/plain').expect(200);
    assert.equal(text, `the cat${body.choices[0].text}\n\nthe cat${body.choices[1].text}`);
    const { body: problem } = await generate({ n: 65 }).expect(400);
    assert.equal(problem.errors[0].path, 'n');
  });

  test('a stream of several texts says which text a piece belongs to', async (t) => {
    const { generate } = await start(t);
    const { body } = await generate({ n: 3, seed: 7 });
    const { text: stream } = await generate({ n: 3, seed: 7 }).set('accept', 'text/event-stream').expect(200);
    const texts = ['', '', ''];
    for (const [, json] of stream.matchAll(/^event: text\ndata: (.*)$/gm)) {
      const { index, text } = JSON.parse(json!);
      texts[index] += text;
    }
    assert.deepEqual(
      texts,
      body.choices.map(({ text }: { text: string }) => text),
    );
  });

  test('a text that takes too long ends with what there is', async (t) => {
    const { generate } = await start(t, { environment: { generationTimeoutMs: 100 } });
    const { body } = await generate({ maxTokens: 100_000 }).expect(200);
    assert.equal(body.finishReason, 'timeout');
    assert.ok(body.tokens > 0 && body.tokens < 100_000);
  });
});
