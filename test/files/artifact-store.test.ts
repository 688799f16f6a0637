import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { ArtifactKey } from '../../src/contracts/artifacts.js';
import { appError } from '../../src/errors.js';
import { copyArtifact } from '../../src/files/artifact-store.js';
import { diskError } from '../../src/files/disk-error.js';
import { sha256 } from '../../src/files/durable-file.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { temporaryFolder } from '../support/service.js';

test('an artifact comes back whole or from an offset, with its length and checksum', async (t) => {
  const store = new FolderArtifactStore(temporaryFolder(t));
  const bytes = Buffer.from('weights of a model');
  const info = await store.put('experiments/e-1/model/weights', bytes);
  assert.deepEqual(info, { bytes: bytes.length, sha256: sha256(bytes) });
  assert.deepEqual(await store.stat('experiments/e-1/model/weights'), info);
  assert.deepEqual(await buffer((await store.get('experiments/e-1/model/weights'))!), bytes);
  assert.equal((await buffer((await store.get('experiments/e-1/model/weights', 11))!)).toString(), 'a model');
  assert.deepEqual(
    [await store.get('none'), await store.stat('none'), await store.list('none')],
    [null, null, []],
  );
});

test('what is not what was expected, or breaks off, leaves nothing behind', async (t) => {
  const root = temporaryFolder(t);
  const store = new FolderArtifactStore(root);
  const old = await store.put('a/file', Buffer.from('old'));
  const expected = { bytes: 3, sha256: '0'.repeat(64) };
  await assert.rejects(store.put('a/file', Buffer.from('new'), expected), { code: 'artifact-corrupt' });
  async function* breaking() {
    yield Buffer.from('ne');
    throw new Error('the line is cut');
  }
  await assert.rejects(store.put('a/file', breaking()), /the line is cut/);
  assert.deepEqual(await store.stat('a/file'), old);
  assert.deepEqual(readdirSync(join(root, 'a')), ['file']);
});

test('a list has all keys below a prefix but what is half written; a deletion takes them all', async (t) => {
  const root = temporaryFolder(t);
  const store = new FolderArtifactStore(root);
  for (const key of ['c/2/b.txt', 'c/2/a.txt', 'c/1/a.txt', 'd/a.txt'])
    await store.put(key, Buffer.from(key));
  writeFileSync(join(root, 'c/1/b.txt.12.tmp'), '');
  mkdirSync(join(root, 'c/.upload-3'));
  writeFileSync(join(root, 'c/.upload-3/train.txt'), '');
  assert.deepEqual(await store.list('c'), ['c/1/a.txt', 'c/2/a.txt', 'c/2/b.txt']);
  const other = new FolderArtifactStore(temporaryFolder(t));
  await copyArtifact(store, 'c/1/a.txt', other);
  assert.deepEqual(await other.stat('c/1/a.txt'), await store.stat('c/1/a.txt'));
  assert.equal(await copyArtifact(store, 'c/none', other), null);
  await store.delete('c');
  assert.ok(!existsSync(join(root, 'c')));
});

test('a key leads nowhere else', async (t) => {
  const store = new FolderArtifactStore(temporaryFolder(t));
  for (const key of ['../out', '/etc/passwd', 'a/../../b', 'a//b', '.hidden', 'a/.', '', 'a\\b', 'a\0b']) {
    assert.equal(ArtifactKey.safeParse(key).success, false, key);
    await assert.rejects(async () => store.get(key), { code: 'bad-request' });
  }
  assert.ok(
    ArtifactKey.safeParse('experiments/e-7f/checkpoints/step-000000120-1f83d9ab.safetensors').success,
  );
});

test('every failure of the disk has one name, wherever it happens', () => {
  const failing = (code: string) => diskError('f', Object.assign(new Error(code), { code })).code;
  assert.deepEqual(['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'].map(failing), [
    'out-of-disk',
    'out-of-disk',
    'write-failed',
    'write-failed',
    'write-failed',
  ]);
  const known = appError('body-too-large', { limit: 1 });
  assert.equal(diskError('f', known), known);
});
