import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSetupModule } from './setup-module.js';
import { type ZipFile, zipArchive } from './zip-archive.js';

interface Wheel {
  readonly requirement: string;
  readonly python: string;
  readonly platform: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
}

interface WheelModule {
  copyFromWheel(settings: object, report: object, wheel: Wheel): Promise<string>;
  unpackWheel(file: string, folder: string): Promise<number>;
}

interface CacheModule {
  placeCopy(folder: string, deps: string): Promise<{ bytes: number; linked: boolean }>;
}

const { copyFromWheel, unpackWheel } = await loadSetupModule<WheelModule>('libtensorflow-wheel');
const { placeCopy } = await loadSetupModule<CacheModule>('libtensorflow-cache');

const folder = mkdtempSync(join(tmpdir(), 'gatelm-wheel-'));
after(() => rmSync(folder, { recursive: true }));

const FILES: ZipFile[] = [
  { name: 'tensorflow/libtensorflow_cc.so.2', content: Buffer.from('the library'), deflate: true },
  { name: 'tensorflow/libtensorflow_framework.so.2', content: Buffer.from('the framework'), deflate: true },
  { name: 'tensorflow/include/tensorflow/c/c_api.h', content: Buffer.from('// C'), deflate: true },
  { name: 'tensorflow/include/tensorflow/c/../../../../escaped.h', content: Buffer.from('// no') },
  { name: 'tensorflow/include/tensorflow/compiler/jit/jit.h', content: Buffer.from('// C++') },
  { name: 'tensorflow/python/ops.py', content: Buffer.from('pass') },
];
const report = { begin: () => ({ done: () => {}, gaveUp: () => {} }), warn: () => {}, line: () => {} };

describe('libtensorflow from the wheel', () => {
  it('is downloaded by pip, checked, unpacked into the cache, and placed by hard links', async () => {
    const { settings, wheel } = machine('good', zipArchive(FILES));
    const copy = await copyFromWheel(settings, report, wheel);
    assert.deepEqual(readdirSync(join(settings.cacheDir, 'libtensorflow')), [
      `tensorflow_cpu-2.21.0-${wheel.sha256.slice(0, 16)}`,
    ]);
    const deps = join(settings.cacheDir, '..', 'deps');
    const { linked } = await placeCopy(copy, deps);
    assert.equal(linked, true);
    assert.equal(readFileSync(join(deps, 'lib', 'libtensorflow.so'), 'utf8'), 'the library');
    assert.equal(readlinkSync(join(deps, 'lib', 'libtensorflow.so.2')), 'libtensorflow_cc.so.2');
    assert.equal(statSync(join(deps, 'lib', 'libtensorflow_cc.so.2')).nlink, 2);
    assert.deepEqual(readdirSync(join(deps, 'include', 'tensorflow')), ['c']);
    assert.equal(readFileSync(join(deps, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8'), '// C');
  });

  it('is refused where its SHA-256 is not the pinned one, and leaves nothing behind', async () => {
    const { settings, wheel } = machine('other', zipArchive(FILES));
    const pinned = { ...wheel, sha256: '0'.repeat(64) };
    await assert.rejects(
      copyFromWheel(settings, report, pinned),
      new RegExp(`not the pinned tensorflow_cpu==2.21.0: expected SHA-256 0{64}, got ${wheel.sha256}`),
    );
    assert.deepEqual(readdirSync(join(settings.cacheDir, 'libtensorflow')), []);
  });

  it('removes what an interrupted download has left', async () => {
    const { settings, wheel } = machine('interrupted', zipArchive(FILES));
    const partial = join(settings.cacheDir, 'libtensorflow', 'tensorflow_cpu-2.21.0-abc.partial-1');
    mkdirSync(partial, { recursive: true });
    await copyFromWheel(settings, report, wheel);
    assert.equal(existsSync(partial), false);
  });

  it('says why pip could not download it, or that there is no Python', async () => {
    const { settings, wheel } = machine('no-pip', undefined);
    await assert.rejects(copyFromWheel(settings, report, wheel), /pip could not download it: no such wheel/);
    const without = { ...settings, env: { PATH: folder } };
    await assert.rejects(copyFromWheel(without, report, wheel), /python3 was not found/);
  });

  it('is refused before the download where the disk has no room for it', async () => {
    const { settings, wheel } = machine('full', zipArchive(FILES));
    const huge = { ...wheel, unpackedBytes: Number.MAX_SAFE_INTEGER };
    await assert.rejects(copyFromWheel(settings, report, huge), /MB left, .* MB are needed/);
  });

  it('is refused without one of its libraries', async () => {
    const file = join(folder, 'lacking.whl');
    writeFileSync(file, zipArchive(FILES.slice(1)));
    await assert.rejects(unpackWheel(file, join(folder, 'lacking')), /has no lib\/libtensorflow_cc\.so\.2/);
  });

  it('is not placed from a damaged copy, which is removed; what was in place stays', async () => {
    const { settings, wheel } = machine('damaged', zipArchive(FILES));
    const copy = await copyFromWheel(settings, report, wheel);
    const deps = join(settings.cacheDir, '..', 'deps');
    await placeCopy(copy, deps);
    rmSync(join(copy, 'lib', 'libtensorflow_cc.so.2'));
    writeFileSync(join(copy, 'lib', 'libtensorflow_cc.so.2'), 'the librarY');
    await assert.rejects(placeCopy(copy, deps), /libtensorflow_cc\.so\.2 was damaged/);
    assert.equal(existsSync(copy), false);
    assert.equal(readFileSync(join(deps, 'lib', 'libtensorflow.so.2'), 'utf8'), 'the library');
    assert.deepEqual(
      readdirSync(join(deps, '..')).filter((name) => name.includes('partial')),
      [],
    );
  });
});

interface Machine {
  readonly settings: { readonly cacheDir: string; readonly logsDir: string; readonly env: NodeJS.ProcessEnv };
  readonly wheel: Wheel;
}

/** A machine whose python3 answers `-m pip download … --dest FOLDER …` with this wheel, or with an error. */
function machine(name: string, archive: Buffer | undefined): Machine {
  const programs = join(folder, name, 'programs');
  mkdirSync(programs, { recursive: true });
  const source = join(folder, name, 'source.whl');
  if (archive) writeFileSync(source, archive);
  const python = `#!${process.execPath}
    const { copyFileSync, existsSync } = require('node:fs');
    const to = process.argv[process.argv.indexOf('--dest') + 1];
    if (existsSync('${source}')) copyFileSync('${source}', to + '/tensorflow_cpu-2.21.0-cp311.whl');
    else { console.error('ERROR: no such wheel'); process.exitCode = 1; }`;
  writeFileSync(join(programs, 'python3'), python, { mode: 0o755 });
  return {
    settings: {
      cacheDir: join(folder, name, 'cache'),
      logsDir: join(folder, name, 'logs'),
      env: { PATH: programs },
    },
    wheel: {
      requirement: 'tensorflow_cpu==2.21.0',
      python: '311',
      platform: 'any',
      sha256: archive ? createHash('sha256').update(archive).digest('hex') : '',
      bytes: 1000,
      unpackedBytes: 1000,
    },
  };
}
