import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
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
}

interface Settings {
  readonly cacheDir: string;
  readonly logsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

interface FetchModule {
  fetchWheel(settings: Settings, wheel: Wheel, folder: string): Promise<string>;
}

interface UnpackModule {
  unpackWheel(settings: Settings, wheel: string, folder: string): Promise<void>;
}

interface CacheModule {
  keep(settings: Settings, key: string, dir: string, paths: readonly string[]): Promise<void>;
  restore(settings: Settings, key: string, dir: string, paths: readonly string[]): Promise<string>;
}

const { fetchWheel } = await loadSetupModule<FetchModule>('fetch');
const { unpackWheel } = await loadSetupModule<UnpackModule>('unpack');
const { keep, restore } = await loadSetupModule<CacheModule>('cache');

const PYTHON = findPython();
const folder = mkdtempSync(join(tmpdir(), 'gatelm-wheel-'));
after(() => rmSync(folder, { recursive: true }));

const FILES: ZipFile[] = [
  { name: 'tensorflow/libtensorflow_cc.so.2', content: Buffer.from('the library') },
  { name: 'tensorflow/libtensorflow_framework.so.2', content: Buffer.from('the framework') },
  { name: 'tensorflow/python/ops.py', content: Buffer.from('pass') },
  ...[
    ...['c/c_api.h', 'core/platform/status.h', 'compiler/jit/jit.h'],
    'core/common_runtime/next_pluggable_device/c/plugin_c_api.h',
  ].map((path) => ({ name: `tensorflow/include/tensorflow/${path}`, content: Buffer.from('// C') })),
  { name: 'tensorflow/include/tsl/platform/status.h', content: Buffer.from('// C') },
  { name: 'tensorflow/include/xla/tsl/c/tsl_status.h', content: Buffer.from('// C') },
];

describe('the wheel of libtensorflow', { skip: !PYTHON && 'no python3 here' }, () => {
  it('is downloaded by pip and checked; a second time it is there', async () => {
    const { settings, wheel, download } = machine('good', zipArchive(FILES));
    const file = await fetchWheel(settings, wheel, download);
    assert.equal(readFileSync(file).length, zipArchive(FILES).length);
    rmSync(join(settings.env.PATH!, '..', 'source.whl'));
    assert.equal(await fetchWheel(settings, wheel, download), file);
  });

  it('is refused where its SHA-256 is not the pinned one, and leaves nothing behind', async () => {
    const { settings, wheel, download } = machine('other', zipArchive(FILES));
    const pinned = { ...wheel, sha256: '0'.repeat(64) };
    await assert.rejects(
      fetchWheel(settings, pinned, download),
      new RegExp(`not the pinned tensorflow_cpu==2.21.0: expected SHA-256 0{64}, got ${wheel.sha256}`),
    );
    assert.deepEqual(readdirSync(download), []);
  });

  it('removes what an interrupted download has left', async () => {
    const { settings, wheel, download } = machine('interrupted', zipArchive(FILES));
    mkdirSync(join(download, 'pip-unpack-abc'), { recursive: true });
    await fetchWheel(settings, wheel, download);
    assert.deepEqual(readdirSync(download), ['tensorflow_cpu-2.21.0-cp311.whl']);
  });

  it('says why pip could not download it, or that there is no Python', async () => {
    const { settings, wheel, download } = machine('no-pip', undefined);
    await assert.rejects(fetchWheel(settings, wheel, download), /^Error: no such wheel$/);
    const without = { ...settings, env: { PATH: folder } };
    await assert.rejects(fetchWheel(without, wheel, download), /python3 was not found/);
  });

  it('is unpacked: its libraries, their links and the C headers, and nothing else', async () => {
    const deflated = FILES.map((file) => ({ ...file, deflate: true }));
    for (const [name, files] of Object.entries({ stored: FILES, deflated })) {
      const out = await unpack(name, zipArchive(files));
      assert.equal(readFileSync(join(out, 'lib', 'libtensorflow.so'), 'utf8'), 'the library');
      assert.equal(readlinkSync(join(out, 'lib', 'libtensorflow.so.2')), 'libtensorflow_cc.so.2');
      assert.equal(readFileSync(join(out, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8'), '// C');
      assert.deepEqual(readdirSync(out), ['include', 'lib']);
      assert.deepEqual(readdirSync(join(out, 'include', 'tensorflow')), ['c', 'core']);
    }
  });

  it('is not unpacked where a library is missing, a checksum differs, or it was cut off', async () => {
    await assert.rejects(unpack('lacking', zipArchive(FILES.slice(1))), /libtensorflow_cc\.so\.2/);
    const [first, ...rest] = FILES;
    await assert.rejects(unpack('differs', zipArchive([{ ...first!, crc32: 1 }, ...rest])), /Bad CRC-32/);
    await assert.rejects(unpack('cut', zipArchive(FILES).subarray(0, 100)), /File is not a zip file/);
  });
});

describe('the cache', () => {
  const paths = ['deps', join('lib', 'binding.node')];

  it('gives back what was kept, as hard links', async () => {
    const { settings, dir } = await filledCache('kept');
    rmSync(join(dir, 'lib', 'binding.node'));
    writeFileSync(join(dir, 'deps', 'other.so'), 'of another version');
    assert.match(await restore(settings, 'module-1', dir, paths), /SHA-256 as noted, hard links/);
    assert.equal(readFileSync(join(dir, 'deps', 'library.so'), 'utf8'), 'the library');
    assert.equal(readlinkSync(join(dir, 'deps', 'link.so')), 'library.so');
    assert.deepEqual(readdirSync(join(dir, 'deps')), ['library.so', 'link.so']);
    assert.equal(readFileSync(join(dir, 'lib', 'binding.node'), 'utf8'), 'the binding');
    assert.equal(statSync(join(dir, 'deps', 'library.so')).nlink, 2);
  });

  it('removes a damaged copy and says so; what was in place stays', async () => {
    const { settings, dir } = await filledCache('damaged');
    const library = join(settings.cacheDir, 'module-1', 'files', 'deps', 'library.so');
    rmSync(library);
    writeFileSync(library, 'the librarY');
    await assert.rejects(
      restore(settings, 'module-1', dir, paths),
      /library\.so was damaged .* it was removed/,
    );
    assert.deepEqual(readdirSync(settings.cacheDir), []);
    assert.equal(readFileSync(join(dir, 'deps', 'library.so'), 'utf8'), 'the library');
  });

  it('removes what an interrupted set-up has left of an entry', async () => {
    const { settings, dir } = await filledCache('interrupted-entry');
    mkdirSync(join(settings.cacheDir, 'module-1.partial', 'files', 'old'), { recursive: true });
    await keep(settings, 'module-1', dir, paths);
    assert.deepEqual(readdirSync(settings.cacheDir), ['module-1']);
    assert.deepEqual(readdirSync(join(settings.cacheDir, 'module-1', 'files')), ['deps', 'lib']);
  });

  /** A module in a folder, and in the cache. */
  async function filledCache(name: string): Promise<{ settings: Settings; dir: string }> {
    const dir = join(folder, name, 'module');
    mkdirSync(join(dir, 'deps'), { recursive: true });
    mkdirSync(join(dir, 'lib'));
    writeFileSync(join(dir, 'deps', 'library.so'), 'the library');
    symlinkSync('library.so', join(dir, 'deps', 'link.so'));
    writeFileSync(join(dir, 'lib', 'binding.node'), 'the binding');
    const settings = { cacheDir: join(folder, name, 'cache'), logsDir: folder, env: {} };
    await keep(settings, 'module-1', dir, paths);
    return { settings, dir };
  }
});

/** Unpacks an archive. @returns where */
async function unpack(name: string, archive: Buffer): Promise<string> {
  const file = join(folder, `${name}.whl`);
  writeFileSync(file, archive);
  const env = { PATH: join(PYTHON!, '..') };
  const out = join(folder, name, 'out');
  await unpackWheel({ cacheDir: folder, logsDir: join(folder, 'logs'), env }, file, out);
  return out;
}

/** The python3 of this machine, itself and no shim that needs more of the environment. */
function findPython(): string | undefined {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}

interface Machine {
  readonly settings: Settings;
  readonly wheel: Wheel;
  /** Where the wheel is downloaded to. */
  readonly download: string;
}

/** A machine whose python3 answers `-m pip download … --dest FOLDER …` with this wheel, or with an error. */
function machine(name: string, archive: Buffer | undefined): Machine {
  const programs = join(folder, name, 'programs');
  mkdirSync(programs, { recursive: true });
  const source = join(folder, name, 'source.whl');
  if (archive) writeFileSync(source, archive);
  const python = `#!${process.execPath}
    const { copyFileSync, existsSync } = require('node:fs');
    const args = process.argv.slice(2);
    const to = args[args.indexOf('--dest') + 1];
    if (!args.includes('pip')) {
      const { status } = require('node:child_process').spawnSync('${PYTHON}', args, { stdio: 'inherit' });
      process.exitCode = status;
    } else if (existsSync('${source}')) copyFileSync('${source}', to + '/tensorflow_cpu-2.21.0-cp311.whl');
    else { console.error('ERROR: no such wheel'); process.exitCode = 1; }`;
  writeFileSync(join(programs, 'python3'), python, { mode: 0o755 });
  return {
    settings: { cacheDir: folder, logsDir: join(folder, name, 'logs'), env: { PATH: programs } },
    wheel: {
      requirement: 'tensorflow_cpu==2.21.0',
      python: '311',
      platform: 'any',
      sha256: archive ? createHash('sha256').update(archive).digest('hex') : '',
    },
    download: join(folder, name, 'download'),
  };
}
