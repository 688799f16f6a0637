/** What holds for every ArtifactStore: a folder, a server over HTTP, an S3-compatible store. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, type TestContext, test } from 'node:test';
import request from 'supertest';
import { type ArtifactStore, copyArtifact } from '../../src/files/artifact-store.js';
import { sha256 } from '../../src/files/durable-file.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { HttpArtifactStore } from '../../src/files/http-artifact-store.js';
import { CuttableProxy } from '../support/cuttable-proxy.js';
import { startedEvent } from '../support/fake-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { NO_SWIFT, SwiftServer } from '../support/swift-server.js';

interface Opened {
  readonly store: ArtifactStore;
  /** Where this test may write. */
  readonly folder: string;
}

interface Kind {
  readonly name: string;
  readonly skip?: string | false;
  /** Whether its clients may delete. */
  readonly deletes: boolean;
  open(test: TestContext): Promise<Opened>;
}

let swift: SwiftServer;
let count = 0;

const KINDS: readonly Kind[] = [
  {
    name: 'a folder',
    deletes: true,
    open: async (t) => ({ store: new FolderArtifactStore(temporaryFolder(t)), folder: 'experiments/e-1' }),
  },
  { name: 'a server over HTTP', deletes: false, open: openHttp },
  {
    name: 'an S3-compatible store',
    skip: NO_SWIFT,
    deletes: true,
    open: async (t) => ({ store: await swift.open(t), folder: `experiments/e-${++count}` }),
  },
];

async function openHttp(t: TestContext): Promise<Opened> {
  const { address, training } = await startService(t);
  const { body } = await request(address).post('/experiments').send({}).expect(201);
  (await training.run(0)).emit(startedEvent());
  const lease = { experimentId: body.id as string, attempt: 1 };
  const store = new HttpArtifactStore({ address, key: null, lease, retryMs: 1, giveUpAfterMs: 1000 });
  return { store, folder: `experiments/${body.id}` };
}

describe('artifact stores', () => {
  const cleanups: (() => unknown)[] = [];
  before(async () => {
    if (NO_SWIFT) return;
    swift = await SwiftServer.start({ after: (cleanUp) => cleanups.push(cleanUp as () => unknown) });
  });
  after(async () => {
    for (const cleanUp of cleanups) await cleanUp();
  });

  for (const { name, skip = false, deletes, open } of KINDS) {
    test(`${name} gives artifacts back whole or from an offset, with their size and checksum`, {
      skip,
    }, async (t) => {
      const { store, folder } = await open(t);
      const key = `${folder}/model/weights`;
      const bytes = Buffer.from('weights of a model');
      const info = { bytes: bytes.length, sha256: sha256(bytes) };
      assert.deepEqual(await store.put(key, bytes, info), info);
      assert.deepEqual(await store.stat(key), info);
      assert.deepEqual(await buffer((await store.get(key))!), bytes);
      assert.equal((await buffer((await store.get(key, 11))!)).toString(), 'a model');
      assert.equal((await buffer((await store.get(key, bytes.length))!)).length, 0);
      const none = `${folder}/model/none`;
      assert.deepEqual(
        [await store.get(none), await store.stat(none), await store.list(none)],
        [null, null, []],
      );
      await store.put(none, Buffer.alloc(0));
      assert.equal((await buffer((await store.get(none))!)).length, 0);
    });

    test(`${name} takes a stream, and gives it to another store`, { skip }, async (t) => {
      const { store, folder } = await open(t);
      const bytes = Buffer.alloc(3_000_000, 'text');
      const other = new FolderArtifactStore(temporaryFolder(t));
      const info = await other.put('file', bytes);
      assert.deepEqual(await copyArtifact(other, 'file', store, `${folder}/model/file`), info);
      assert.deepEqual(await copyArtifact(store, `${folder}/model/file`, other, 'back'), info);
      assert.equal(await copyArtifact(store, `${folder}/model/none`, other), null);
    });

    test(`${name} keeps what was there where the bytes are not what was expected, or end early`, {
      skip,
    }, async (t) => {
      const { store, folder } = await open(t);
      const key = `${folder}/model/file`;
      const old = await store.put(key, Buffer.from('old'));
      const expected = { bytes: 3, sha256: '0'.repeat(64) };
      await assert.rejects(store.put(key, Buffer.from('new'), expected), { code: 'artifact-corrupt' });
      async function* breaking() {
        yield Buffer.from('ne');
        throw new Error('the line is cut');
      }
      await assert.rejects(store.put(key, breaking()), /the line is cut/);
      assert.deepEqual(await store.stat(key), old);
      assert.deepEqual(await store.list(`${folder}/model`), [key]);
    });

    test(`${name} lists what is below a prefix, sorted`, { skip }, async (t) => {
      const { store, folder } = await open(t);
      const [a, b, c] = ['2/b.txt', '2/a.txt', '1/a.txt'].map((each) => `${folder}/model/${each}`) as [
        string,
        string,
        string,
      ];
      for (const key of [a, b, c, `${folder}/model-2/a.txt`]) await store.put(key, Buffer.from(key));
      assert.deepEqual(await store.list(`${folder}/model`), [c, b, a]);
      if (!deletes) return;
      await store.delete(c);
      assert.deepEqual(await store.list(`${folder}/model`), [b, a]);
      await store.delete(`${folder}/model`);
      assert.deepEqual(await store.list(folder), [`${folder}/model-2/a.txt`]);
      await store.delete(`${folder}/none`);
    });
  }

  test('an S3-compatible store lists and deletes more than one page', { skip: NO_SWIFT }, async (t) => {
    const store = await swift.open(t, { pageSize: 3 });
    const keys = Array.from({ length: 7 }, (_, index) => `pages/${index}`);
    for (const key of keys) await store.put(key, Buffer.from(key));
    assert.deepEqual(await store.list('pages'), keys);
    await store.delete('pages');
    assert.deepEqual(await store.list('pages'), []);
  });

  test('a download from an S3-compatible store goes on where it broke off, unless the content has changed', {
    skip: NO_SWIFT,
  }, async (t) => {
    const wire = await CuttableProxy.start(t, swift.port);
    const store = await swift.open(t, { address: swift.address('tests', wire.port), idleMs: 300 });
    const bytes = Buffer.alloc(20_000_000, 'some text');
    await store.put('cut/file', bytes);
    const read = async (meanwhile: () => Promise<unknown>) => {
      const parts: Buffer[] = [];
      let isCut = false;
      for await (const part of (await store.get('cut/file'))!) {
        parts.push(part);
        if (isCut) continue;
        isCut = true;
        wire.cut();
        await meanwhile();
        wire.mend();
      }
      return Buffer.concat(parts);
    };
    assert.equal(sha256(await read(async () => {})), sha256(bytes));
    const direct = await swift.open(t);
    await assert.rejects(
      read(() => direct.put('cut/file', Buffer.alloc(20_000_000, 'other text'))),
      { code: 'artifact-corrupt' },
    );
  });

  test('an S3-compatible store that is unreachable is waited for; one that refuses says why, without secrets', {
    skip: NO_SWIFT,
  }, async (t) => {
    const wire = await CuttableProxy.start(t, swift.port);
    const address = swift.address('tests', wire.port);
    const store = await swift.open(t, { address, idleMs: 200 });
    wire.cut();
    const put = store.put('late/file', Buffer.from('text'));
    await assert.rejects(
      (await swift.open(t, { address, idleMs: 200, giveUpAfterMs: 0 })).stat('late/file'),
      { code: 'host-unavailable' },
    );
    wire.mend();
    assert.equal((await put).bytes, 4);
    const secretAccessKey = 'another-secret';
    const wrong = await swift.open(t, { credentials: { accessKeyId: 'test:tester', secretAccessKey } });
    for (const attempt of [
      () => wrong.list('a'),
      () => wrong.stat('a'),
      () => wrong.put('a', Buffer.alloc(1)),
    ])
      await assert.rejects(attempt, (error: Error & { code: string }) => {
        assert.equal(error.code, 'storage-refused');
        assert.match(error.message, /AWS_ACCESS_KEY_ID/);
        assert.ok(
          !JSON.stringify(error).includes(secretAccessKey) && !error.message.includes(secretAccessKey),
        );
        return true;
      });
    const elsewhere = await swift.open(t, { bucket: 'no-such-bucket' });
    await assert.rejects(elsewhere.list('a'), { code: 'storage-refused', message: /NoSuchBucket/ });
  });

  test('an upload leaves no temporary file', { skip: NO_SWIFT }, async (t) => {
    const folder = temporaryFolder(t);
    const store = await swift.open(t, { temporaryFolder: folder });
    async function* bytes() {
      yield Buffer.from('text');
    }
    await store.put('spooled/file', bytes());
    await assert.rejects(store.put('spooled/file', bytes(), { bytes: 4, sha256: '0'.repeat(64) }), {
      code: 'artifact-corrupt',
    });
    assert.deepEqual(readdirSync(folder), []);
  });
});
