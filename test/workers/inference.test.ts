/** The real inference host with the real worker, on a tiny model. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LocalInferenceExecutor } from '../../src/compute/local-inference-executor.js';
import { EvaluationRequest } from '../../src/contracts/evaluation.js';
import { type GenerationPart, GenerationTaskRequest } from '../../src/contracts/generation.js';
import { ScoreRequest } from '../../src/contracts/score.js';
import { useBackend } from '../support/backend.js';
import { cleanUp } from '../support/clean-up.js';
import { temporaryFolder } from '../support/service.js';
import { tinyBundle } from '../support/tiny-bundle.js';

describe('the inference host', () => {
  useBackend();

  test('streams, stops when nobody reads, exports and imports', async (t) => {
    const folder = temporaryFolder(t);
    const bundle = tinyBundle(folder);
    const modelDirectory = join(folder, 'model');
    const executor = new LocalInferenceExecutor({ files: { dataDirectory: folder, mirror: null } });
    cleanUp(t, () => executor.close());
    const generate = (fields: object) => ({
      type: 'generate' as const,
      model: { experimentId: 'e', folder: 'model', digest: 'd' },
      request: GenerationTaskRequest.parse({ prompt: 'the', seed: 1, ...fields }),
    });

    const parts: GenerationPart[] = [];
    const onPart = (part: GenerationPart) => parts.push(part);
    const streamed = await executor.run(generate({ maxTokens: 20 }), { onPart });
    assert.equal(parts.length, 20);
    assert.equal(parts.map(({ text }) => text).join(''), streamed.text);
    assert.deepEqual(await executor.run(generate({ maxTokens: 20 })), streamed);

    const controller = new AbortController();
    const long = await executor.run(generate({ maxTokens: 100_000 }), {
      onPart: () => controller.abort(),
      signal: controller.signal,
    });
    assert.equal(long.finishReason, 'cancelled');
    assert.ok(long.tokens < 100_000);

    const bundleDirectory = join(folder, 'bundle');
    mkdirSync(bundleDirectory);
    const { files } = await executor.run({
      type: 'export',
      model: 'model',
      bundle: 'bundle',
      tiedWeights: 'twice',
    });
    for (const { name, bytes } of files)
      assert.equal(readFileSync(join(bundleDirectory, name)).length, bytes);
    assert.deepEqual(
      readFileSync(join(bundleDirectory, 'model.safetensors')),
      Buffer.from(bundle.get('model.safetensors')!),
    );
    const imported = await executor.run({
      type: 'import',
      bundle: 'bundle',
      model: 'imported',
    });
    assert.deepEqual([imported.vocabularySize, imported.corpus], [8, 'handbook']);
    assert.deepEqual(
      readFileSync(join(folder, 'imported', 'weights.safetensors')),
      readFileSync(join(modelDirectory, 'weights.safetensors')),
    );
  });

  test('reads a text while it comes, tells how far it is, and can be ended', async (t) => {
    const folder = temporaryFolder(t);
    tinyBundle(folder);
    const executor = new LocalInferenceExecutor({ files: { dataDirectory: folder, mirror: null } });
    cleanUp(t, () => executor.close());
    const model = { experimentId: 'e', folder: 'model', digest: 'd' };
    const stream = { type: 'score-stream', model, request: { tokens: true } } as const;
    const pieces = ['the ', 'cat s', 'at on', ' the mat'];
    const tokens: string[] = [];
    const summary = await executor.run(stream, {
      input: pieces[Symbol.iterator]() as unknown as AsyncIterator<string>,
      onPart: (part) => tokens.push(...part.tokens.map(({ token }) => token)),
    });
    assert.deepEqual(tokens, ['the', 'cat', 'sat', 'on', 'the', 'mat']);
    assert.equal(summary.tokens, 6);
    const [scored] = (
      await executor.run({
        type: 'score',
        model,
        request: ScoreRequest.parse({ text: pieces.join('') }),
      })
    ).items;
    assert.equal(summary.perplexity, scored!.perplexity);

    const controller = new AbortController();
    const silent = new Promise<IteratorResult<string>>(() => {});
    const waiting = executor.run(stream, { input: { next: () => silent }, signal: controller.signal });
    setImmediate(() => controller.abort());
    await assert.rejects(waiting, { code: 'cancelled' });
    const broken = executor.run(stream, { input: { next: () => Promise.reject(new Error('it broke')) } });
    await assert.rejects(broken, /it broke/);

    const evaluation = {
      type: 'evaluate',
      model,
      request: EvaluationRequest.parse({ text: 'the cat '.repeat(20_000), dynamic: { rule: 'sgd' } }),
    } as const;
    const ending = new AbortController();
    let last = 0;
    const ended = executor.run(evaluation, {
      onPart: ({ tokens: read, totalTokens }) => {
        assert.ok(read > last && totalTokens === 40_000);
        last = read;
        ending.abort();
      },
      signal: ending.signal,
    });
    await assert.rejects(ended, { code: 'cancelled' });
    assert.ok(last > 0 && last < 40_000);
  });
});
