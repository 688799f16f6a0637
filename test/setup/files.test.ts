import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSetupModule } from './setup-module.js';

interface Stamp {
  readonly key: string;
}

interface Files {
  readStamps(root: string): Record<string, Stamp>;
  writeStamp(root: string, name: string, stamp: Stamp | undefined): void;
  hashFiles(root: string, files: readonly string[]): string;
  hashOf(...parts: string[]): string;
  filesBelow(path: string, accept: (path: string) => boolean, skip?: string[]): string[];
}

const { readStamps, writeStamp, hashFiles, hashOf, filesBelow } = await loadSetupModule<Files>('files');
const folder = mkdtempSync(join(tmpdir(), 'gatelm-stamps-'));
after(() => rmSync(folder, { recursive: true }));

describe('stamps', () => {
  it('are read as they were written, and are gone when removed', () => {
    const root = join(folder, 'written');
    writeStamp(root, 'kernels', { key: 'abc' });
    writeStamp(root, 'typescript', { key: 'def' });
    assert.deepEqual(readStamps(root), { kernels: { key: 'abc' }, typescript: { key: 'def' } });
    writeStamp(root, 'kernels', undefined);
    assert.deepEqual(readStamps(root), { typescript: { key: 'def' } });
  });

  it('count as missing when half written', () => {
    writeStamp(folder, 'half', { key: 'ab' });
    writeFileSync(join(folder, 'node_modules', '.gatelm', 'stamps.json'), '{"half": {"key": "ab');
    assert.deepEqual(readStamps(folder), {});
  });
});

describe('the hash of files', () => {
  it('does not depend on their order or on where the checkout lies', () => {
    const [here, there] = [checkout('here'), checkout('there')];
    assert.equal(hashFiles(here.root, here.files), hashFiles(there.root, [...there.files].reverse()));
  });

  it('changes with a name, with a content, and with a byte that moves from one file to the next', () => {
    const { root, files } = checkout('changes');
    const hashes = new Set([hashFiles(root, files)]);
    writeFileSync(files[0]!, 'onet');
    writeFileSync(files[1]!, 'wo');
    hashes.add(hashFiles(root, files));
    writeFileSync(files[1]!, 'wp');
    hashes.add(hashFiles(root, files));
    writeFileSync(join(root, 'src', 'c.ts'), 'wp');
    hashes.add(hashFiles(root, [files[0]!, join(root, 'src', 'c.ts')]));
    assert.equal(hashes.size, 4);
    assert.notEqual(hashOf('ab', 'c'), hashOf('a', 'bc'));
  });

  it('is made over the files below a folder that are wanted, none where there is no folder', () => {
    const { root } = checkout('below');
    mkdirSync(join(root, 'src', 'build'));
    writeFileSync(join(root, 'src', 'build', 'd.ts'), '');
    const found = filesBelow(root, (path) => path.endsWith('.ts'), ['build']);
    assert.deepEqual(found.map((path) => path.slice(root.length + 1)).sort(), ['src/a.ts', 'src/b.ts']);
    assert.deepEqual(
      filesBelow(join(root, 'none'), () => true),
      [],
    );
  });
});

function checkout(name: string): { root: string; files: string[] } {
  const root = join(folder, name);
  mkdirSync(join(root, 'src'), { recursive: true });
  const files = ['a.ts', 'b.ts'].map((file) => join(root, 'src', file));
  writeFileSync(files[0]!, 'one');
  writeFileSync(files[1]!, 'two');
  return { root, files };
}
