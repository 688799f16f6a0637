/** The real inference host with the real worker, on a tiny model. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LocalInferenceExecutor } from '../../src/compute/local-inference-executor.js';
import { type GenerationPart, GenerationTaskRequest } from '../../src/contracts/generation.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/service.js';
import { tinyBundle } from '../support/tiny-bundle.js';

describe('the inference host', () => {
  useBackend();

  test('streams, stops when nobody reads, exports and imports', async (t) => {
    const folder = temporaryFolder(t);
    const bundle = tinyBundle(folder);
    const modelDirectory = join(folder, 'model');
    const executor = new LocalInferenceExecutor();
    t.after(() => executor.close());
    const generate = (fields: object) => ({
      type: 'generate' as const,
      model: { experimentId: 'e', modelDirectory, digest: 'd' },
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
      modelDirectory,
      bundleDirectory,
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
      bundleDirectory,
      modelDirectory: join(folder, 'imported'),
    });
    assert.deepEqual([imported.vocabularySize, imported.corpus], [8, 'handbook']);
    assert.deepEqual(
      readFileSync(join(folder, 'imported', 'weights.safetensors')),
      readFileSync(join(modelDirectory, 'weights.safetensors')),
    );
  });
});
