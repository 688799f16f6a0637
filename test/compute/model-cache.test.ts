/** The models that an inferencer fetches and keeps. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ModelCache } from '../../src/compute/inferencers/model-cache.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { MODEL_FILES } from '../../src/files/layout.js';
import { temporaryFolder } from '../support/service.js';

/** Weights of 1,000 bytes, beside two files of 2. */
const MODEL_BYTES = 1_004;

function start(context: TestContext, maxBytes = Number.MAX_SAFE_INTEGER) {
  const folder = temporaryFolder(context);
  const server = new FolderArtifactStore(join(folder, 'server'));
  const path = join(folder, 'local');
  const fetched: string[] = [];
  const counting = {
    stat: (key: string) => server.stat(key),
    get: (key: string) => {
      fetched.push(key);
      return server.get(key);
    },
  };
  const open = () => {
    const cache = new ModelCache({ server: counting, local: new FolderArtifactStore(path), maxBytes });
    cache.open();
    return cache;
  };
  const publish = async (experimentId: string, weights: string) => {
    const key = `experiments/${experimentId}/model`;
    await server.put(`${key}/${MODEL_FILES.weights}`, Buffer.from(weights.padEnd(1_000)));
    await server.put(`${key}/${MODEL_FILES.description}`, Buffer.from('{}'));
    await server.put(`${key}/${MODEL_FILES.tokenizer}`, Buffer.from('{}'));
    return { experimentId, folder: key, digest: `digest-of-${weights}` };
  };
  const read = async (key: string) => readFileSync(join(path, key, MODEL_FILES.weights), 'utf8').trim();
  /** Resolves when exactly these models are there: they are deleted in the background. */
  const keeps = async (...digests: string[]) => {
    const present = () =>
      readdirSync(join(path, 'models'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(MODEL_FILES.weights))
        .map((name) => name.split('/')[1]);
    while (present().sort().join() !== digests.join()) await new Promise((turn) => setImmediate(turn));
  };
  return { path, fetched, open, publish, read, keeps };
}

test('a model is fetched once for tasks in parallel, and again by a later process only if it has changed', async (context) => {
  const { open, publish, read, fetched } = start(context);
  const model = await publish('e', 'first');
  const cache = open();
  const texts = await Promise.all([1, 2, 3].map(() => cache.use(model, ({ folder }) => read(folder))));
  assert.deepEqual(texts, ['first', 'first', 'first']);
  assert.equal(fetched.length, 3);
  assert.equal(await open().use(model, ({ folder }) => read(folder)), 'first');
  assert.equal(fetched.length, 3);
  await publish('e', 'damaged here');
  assert.equal(await open().use(model, ({ folder }) => read(folder)), 'damaged here');
  assert.equal(fetched.length, 4, 'only the file that differs');
});

test('new weights do not replace those in use, and the old ones are deleted when nobody uses them', async (context) => {
  const { open, publish, read, keeps } = start(context);
  const cache = open();
  const first = await publish('e', 'first');
  await cache.use(first, async (old) => {
    const second = await publish('e', 'second');
    assert.equal(await cache.use(second, ({ folder }) => read(folder)), 'second');
    assert.equal(await read(old.folder), 'first');
  });
  const third = await publish('e', 'third');
  for (const model of [third, await publish('other', 'x')]) await cache.use(model, async () => {});
  await keeps('digest-of-third', 'digest-of-x');
});

test('above the limit the least recently used models are deleted; one is kept, however large', async (context) => {
  const { open, publish, keeps } = start(context, 2 * MODEL_BYTES);
  const cache = open();
  const [a, b, c] = [await publish('a', 'a'), await publish('b', 'b'), await publish('c', 'c')];
  for (const model of [a, b, a, c]) await cache.use(model, async () => {});
  await keeps('digest-of-a', 'digest-of-c');
  const small = start(context, 1);
  await small.open().use(await small.publish('a', 'a'), async () => {});
  await small.keeps('digest-of-a');
});

test('what an interrupted process left is deleted, and a failed download is tried again', async (context) => {
  const { path, open, publish, read } = start(context);
  const unfinished = join(path, 'models', 'e', 'digest-of-first');
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, `${MODEL_FILES.weights}.abc.tmp`), 'half');
  const cache = open();
  assert.deepEqual(readdirSync(join(path, 'models', 'e')), []);
  const absent = { experimentId: 'e', folder: 'experiments/e/model', digest: 'digest-of-first' };
  await assert.rejects(
    cache.use(absent, async () => {}),
    { code: 'artifact-not-found' },
  );
  await publish('e', 'first');
  assert.equal(await cache.use(absent, ({ folder }) => read(folder)), 'first');
});
