import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WarmModels } from '../../src/checkpoints/warm-models.js';
import { parameterCount } from '../../src/models/language-model.js';
import { testKernels, useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/service.js';
import { tinyBundle } from '../support/tiny-bundle.js';

describe('warm models', () => {
  useBackend();

  test('stay while they are used and fit; the least recently used goes first', async (t) => {
    const folder = temporaryFolder(t);
    tinyBundle(folder);
    const built: number[] = [];
    const gone: number[] = [];
    let bytesOfOne = 0;
    const warmOf = (maxBytes: number) =>
      new WarmModels<number>(testKernels(), maxBytes, {
        build: ({ model }) => {
          bytesOfOne = 8 * parameterCount(model);
          return built.push(built.length) - 1;
        },
        dispose: (extra) => gone.push(extra),
      });
    const reference = (experimentId: string, digest = 'd') => ({
      experimentId,
      folder: join(folder, 'model'),
      digest,
    });
    await warmOf(0).use(reference('any'), async ({ extra }) => assert.equal(extra, 0));
    const warm = warmOf(2 * bytesOfOne);
    const use = (id: string, digest?: string) => warm.use(reference(id, digest), async ({ extra }) => extra);

    assert.deepEqual([await use('a'), await use('b'), await use('a')], [1, 2, 1]);
    assert.deepEqual([await use('c'), gone], [3, [2]], 'b was used longest ago');
    await warm.use(reference('a'), async () => {
      assert.equal(await use('a', 'other weights'), 4);
      assert.deepEqual(gone, [2], 'the old weights are still in use');
    });
    assert.deepEqual(gone, [2, 1]);
    assert.deepEqual([await use('c'), await use('a', 'other weights')], [3, 4]);
  });
});
