import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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

interface Settings {
  readonly cacheDir: string;
  readonly logsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

interface Context {
  readonly settings: Settings;
  readonly report: object;
}

interface TensorflowModule {
  obtainWheel(context: Context, wheel: Wheel): Promise<string>;
}

interface UnpackModule {
  unpackWheel(settings: Settings, file: string, folder: string): Promise<string>;
}

interface CacheModule {
  place(context: Context, key: string, to: string): Promise<{ bytes: number; linked: boolean }>;
}

const { obtainWheel } = await loadSetupModule<TensorflowModule>('steps/tensorflow');
const { unpackWheel } = await loadSetupModule<UnpackModule>('unpack');
const { place } = await loadSetupModule<CacheModule>('cache');

const PYTHON = findPython();
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
const report = {
  task: (_name: string, _what: string, body: () => Promise<string>) => body(),
  warn: () => {},
  line: () => {},
};

describe('libtensorflow from the wheel', { skip: !PYTHON && 'no python3 here' }, () => {
  it('is downloaded by pip, checked, unpacked into the cache, and placed by hard links', async () => {
    const { context, settings, wheel } = machine('good', zipArchive(FILES));
    await obtainWheel(context, wheel);
    assert.deepEqual(readdirSync(join(settings.cacheDir, 'libtensorflow')), [
      `tensorflow_cpu-2.21.0-${wheel.sha256.slice(0, 16)}`,
    ]);
    const deps = join(settings.cacheDir, '..', 'deps');
    const { linked } = await place(context, keyOf(wheel), deps);
    assert.equal(linked, true);
    assert.equal(readFileSync(join(deps, 'lib', 'libtensorflow.so'), 'utf8'), 'the library');
    assert.equal(readlinkSync(join(deps, 'lib', 'libtensorflow.so.2')), 'libtensorflow_cc.so.2');
    assert.equal(statSync(join(deps, 'lib', 'libtensorflow_cc.so.2')).nlink, 2);
    assert.deepEqual(readdirSync(join(deps, 'include', 'tensorflow')), ['c']);
    assert.equal(readFileSync(join(deps, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8'), '// C');
  });

  it('is refused where its SHA-256 is not the pinned one, and leaves nothing behind', async () => {
    const { context, settings, wheel } = machine('other', zipArchive(FILES));
    const pinned = { ...wheel, sha256: '0'.repeat(64) };
    await assert.rejects(
      obtainWheel(context, pinned),
      new RegExp(`not the pinned tensorflow_cpu==2.21.0: expected SHA-256 0{64}, got ${wheel.sha256}`),
    );
    assert.deepEqual(readdirSync(join(settings.cacheDir, 'libtensorflow')), []);
  });

  it('removes what an interrupted download has left', async () => {
    const { context, settings, wheel } = machine('interrupted', zipArchive(FILES));
    const partial = join(settings.cacheDir, 'libtensorflow', 'tensorflow_cpu-2.21.0-abc.partial-1');
    mkdirSync(partial, { recursive: true });
    await obtainWheel(context, wheel);
    assert.equal(existsSync(partial), false);
  });

  it('says why pip could not download it, or that there is no Python', async () => {
    const { context, settings, wheel } = machine('no-pip', undefined);
    await assert.rejects(obtainWheel(context, wheel), /pip could not download it: no such wheel/);
    const without = { ...context, settings: { ...settings, env: { PATH: folder } } };
    await assert.rejects(obtainWheel(without, wheel), /python3 was not found/);
  });

  it('is refused before the download where the disk has no room for it', async () => {
    const { context, wheel } = machine('full', zipArchive(FILES));
    const huge = { ...wheel, unpackedBytes: Number.MAX_SAFE_INTEGER };
    await assert.rejects(obtainWheel(context, huge), /MB left, .* MB are needed/);
  });

  it('is refused without one of its libraries', async () => {
    await assert.rejects(
      unpack('lacking', zipArchive(FILES.slice(1))),
      /has no lib\/libtensorflow_cc\.so\.2/,
    );
  });

  it('is not placed from a damaged copy, which is removed; what was in place stays', async () => {
    const { context, settings, wheel } = machine('damaged', zipArchive(FILES));
    const copy = await obtainWheel(context, wheel);
    const deps = join(settings.cacheDir, '..', 'deps');
    await place(context, keyOf(wheel), deps);
    rmSync(join(copy, 'lib', 'libtensorflow_cc.so.2'));
    writeFileSync(join(copy, 'lib', 'libtensorflow_cc.so.2'), 'the librarY');
    await assert.rejects(place(context, keyOf(wheel), deps), /libtensorflow_cc\.so\.2 was damaged/);
    assert.equal(existsSync(copy), false);
    assert.equal(readFileSync(join(deps, 'lib', 'libtensorflow.so.2'), 'utf8'), 'the library');
    assert.deepEqual(
      readdirSync(join(deps, '..')).filter((name) => name.includes('partial')),
      [],
    );
  });
});

describe('the unpacking of the wheel', { skip: !PYTHON && 'no python3 here' }, () => {
  const text = Buffer.from('gates: forget, candidate, input, output. '.repeat(20_000));

  it('gives stored and deflated files byte for byte', async () => {
    const stored = FILES.map((file, index) => (index === 0 ? { ...file, content: text } : file));
    const deflated = stored.map((file) => ({ ...file, deflate: true }));
    for (const [name, files] of Object.entries({ stored, deflated })) {
      assert.equal(await unpack(name, zipArchive(files)), '3 files');
      assert.ok(readFileSync(join(folder, name, 'out', 'lib', 'libtensorflow_cc.so.2')).equals(text));
    }
  });

  it('writes no file outside of its folder, and none that is not wanted', async () => {
    const names = ['../escaped', '/tmp/escaped', 'tensorflow/include/tensorflow/c/../../../../../escaped.h'];
    const hostile = names.map((name) => ({ name, content: Buffer.from('// no') }));
    await unpack('hostile', zipArchive([...FILES, ...hostile]));
    const written = readdirSync(join(folder, 'hostile'), { recursive: true }).map(String);
    assert.deepEqual(
      written.filter((path) => /escaped|ops|jit/.test(path)),
      [],
    );
    assert.equal(existsSync('/tmp/escaped'), false);
  });

  it('refuses an archive that was cut off anywhere, and what is none', async () => {
    const whole = zipArchive(FILES);
    for (const length of [0, 10, Math.floor(whole.length / 2), whole.length - 23, whole.length - 1]) {
      await assert.rejects(
        unpack('cut', whole.subarray(0, length)),
        /the wheel cannot be unpacked: BadZipFile: /,
        `cut to ${length} bytes`,
      );
    }
    await assert.rejects(unpack('none', text), /cannot be unpacked: BadZipFile: File is not a zip file/);
  });

  it('refuses a directory that lies outside of the file', async () => {
    const archive = zipArchive(FILES);
    archive.writeUInt32LE(archive.length, archive.length - 6);
    await assert.rejects(unpack('outside', archive), /cannot be unpacked/);
  });

  const lies: readonly [string, Partial<ZipFile>, RegExp][] = [
    ['whose checksum differs', { crc32: 1 }, /Bad CRC-32/],
    ['that unpacks to more than it names', { bytes: 5 }, /Bad CRC-32/],
    ['that unpacks to less than it names', { bytes: text.length + 1 }, /expected 820001 bytes, got 820000/],
    ['that is encrypted', { encrypted: true }, /encrypted/],
    ['whose method it does not know', { method: 99 }, /compression method is not supported/],
  ];
  for (const [what, lie, message] of lies) {
    it(`refuses a file ${what}`, async () => {
      const [first, ...rest] = FILES;
      const archive = zipArchive([{ ...first!, content: text, ...lie }, ...rest]);
      await assert.rejects(unpack('lie', archive), message);
    });
  }
});

/** Unpacks an archive into FOLDER/NAME/out. */
async function unpack(name: string, archive: Buffer): Promise<string> {
  const file = join(folder, `${name}.whl`);
  writeFileSync(file, archive);
  const settings = {
    cacheDir: join(folder, name),
    logsDir: join(folder, 'logs'),
    env: { PATH: join(PYTHON!, '..') },
  };
  return unpackWheel(settings, file, join(folder, name, 'out'));
}

/** The python3 of this machine, itself and no shim that needs more of the environment. */
function findPython(): string | undefined {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}

function keyOf({ sha256 }: Wheel): string {
  return `libtensorflow/tensorflow_cpu-2.21.0-${sha256.slice(0, 16)}`;
}

interface Machine {
  readonly context: Context;
  readonly settings: Settings;
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
    const args = process.argv.slice(2);
    const to = args[args.indexOf('--dest') + 1];
    if (!args.includes('pip')) {
      const { status } = require('node:child_process').spawnSync('${PYTHON}', args, { stdio: 'inherit' });
      process.exitCode = status;
    } else if (existsSync('${source}')) copyFileSync('${source}', to + '/tensorflow_cpu-2.21.0-cp311.whl');
    else { console.error('ERROR: no such wheel'); process.exitCode = 1; }`;
  writeFileSync(join(programs, 'python3'), python, { mode: 0o755 });
  const settings = {
    cacheDir: join(folder, name, 'cache'),
    logsDir: join(folder, name, 'logs'),
    env: { PATH: programs },
  };
  return {
    context: { settings, report },
    settings,
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
