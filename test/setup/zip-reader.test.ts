import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSetupModule } from './setup-module.js';
import { type ZipFile, zipArchive } from './zip-archive.js';

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly method: number;
}

interface ZipReader {
  readZipEntries(path: string): Promise<Entry[]>;
  extractZipEntry(path: string, entry: Entry, to: string): Promise<void>;
  updateCrc32(bytes: Buffer, crc?: number): number;
  crc32ByTable(bytes: Buffer, crc?: number): number;
}

const { readZipEntries, extractZipEntry, updateCrc32, crc32ByTable } =
  await loadSetupModule<ZipReader>('zip-reader');

const folder = mkdtempSync(join(tmpdir(), 'gatelm-zip-'));
after(() => rmSync(folder, { recursive: true }));

const text = Buffer.from('gates: forget, candidate, input, output. '.repeat(20_000));
const files: ZipFile[] = [
  { name: 'a/stored.txt', content: text },
  { name: 'a/deflated.txt', content: text, deflate: true },
  { name: 'empty', content: Buffer.alloc(0) },
  { name: 'größe.txt', content: text, deflate: true, zip64: true },
];

describe('the zip reader', () => {
  it('gives back stored, deflated, empty and zip64 entries byte for byte', async () => {
    const path = save(zipArchive(files));
    const entries = await readZipEntries(path);
    assert.deepEqual(
      entries.map(({ name, bytes }) => [name, bytes]),
      files.map(({ name, content }) => [name, content.length]),
    );
    for (const [index, entry] of entries.entries()) {
      const to = join(folder, `out-${index}`);
      await extractZipEntry(path, entry, to);
      assert.ok(readFileSync(to).equals(files[index]!.content), `${entry.name} differs`);
    }
  });

  it('finds the directory behind a zip64 end record and before a comment', async () => {
    const path = save(zipArchive(files, { zip64: true, comment: 'made for a test' }));
    assert.equal((await readZipEntries(path)).length, files.length);
  });

  it('refuses an archive that was cut off anywhere, and what is none', async () => {
    const whole = zipArchive([{ name: 'one', content: text, deflate: true }]);
    for (const length of [0, 10, Math.floor(whole.length / 2), whole.length - 23, whole.length - 1]) {
      const path = save(whole.subarray(0, length));
      await assert.rejects(readZipEntries(path), /cut off|not a zip archive/, `cut to ${length} bytes`);
    }
    await assert.rejects(readZipEntries(save(text)), /not a zip archive/);
  });

  it('refuses a directory that lies outside of the file', async () => {
    const archive = zipArchive([{ name: 'one', content: text }]);
    archive.writeUInt32LE(archive.length, archive.length - 6);
    await assert.rejects(readZipEntries(save(archive)), /lies outside/);
  });

  const lies: readonly [string, Partial<ZipFile>, RegExp][] = [
    ['whose checksum differs', { crc32: 1 }, /checksum differs/],
    ['that unpacks to more than it names', { bytes: 5 }, /unpacks to more than the 5 bytes/],
    ['that unpacks to less than it names', { bytes: text.length + 1 }, /expected 820001 bytes, got 820000/],
    ['that is encrypted', { encrypted: true }, /encrypted/],
    ['whose method it does not know', { method: 14 }, /method 14/],
  ];
  for (const [what, lie, message] of lies) {
    it(`refuses an entry ${what}`, async () => {
      const path = save(zipArchive([{ name: 'one', content: text, deflate: true, ...lie }]));
      const [entry] = await readZipEntries(path);
      await assert.rejects(extractZipEntry(path, entry!, join(folder, 'lie')), message);
    });
  }

  it('computes the same CRC-32 with and without zlib’s, also in pieces', () => {
    assert.equal(crc32ByTable(Buffer.from('123456789')), 0xcbf43926);
    assert.equal(updateCrc32(Buffer.from('6789'), updateCrc32(Buffer.from('12345'))), 0xcbf43926);
    assert.equal(crc32ByTable(text.subarray(99), crc32ByTable(text.subarray(0, 99))), updateCrc32(text));
  });
});

let saved = 0;

function save(bytes: Buffer): string {
  const path = join(folder, `archive-${saved++}.zip`);
  writeFileSync(path, bytes);
  return path;
}
