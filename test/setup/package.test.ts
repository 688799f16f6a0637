import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Installs from npm's registry and builds the kernels anew: minutes, and a network. */
const FULL = process.env.GATELM_TEST_PACKAGE === 'full';
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TINY = JSON.stringify({
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 0 },
});

const folder = mkdtempSync(join(tmpdir(), 'gatelm-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let archive = '';
let files: string[] = [];

before(() => {
  const { stdout, stderr } = npm(ROOT, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  assert.ok(packed, stderr);
  archive = join(folder, basename(packed.filename));
  files = packed.files.map(({ path }) => path);
});

describe('the package', () => {
  it('has what the command, the server, set-up and the library need, and no more', () => {
    for (const needed of [
      'package.json',
      'README.md',
      'LICENSE',
      'dist/src/cli/main.js',
      'dist/src/index.d.ts',
      'dist/workers/train.js',
      'native/binding.gyp',
      'native/src/addon.cc',
      'scripts/setup.mjs',
      'scripts/setup/set-up.mjs',
      ...readdirSync(join(ROOT, 'migrations')).map((name) => `migrations/${name}`),
    ]) {
      assert.ok(files.includes(needed), needed);
    }
    const known =
      /^(package\.json|README\.md|LICENSE|(dist\/(src|workers|dashboard)|migrations|native|scripts)\/.*)$/;
    assert.deepEqual(
      files.filter((path) => !known.test(path) || path.endsWith('.map') || path.startsWith('native/build')),
      [],
    );
  });

  it('has each file that package.json names', () => {
    const { bin, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const named = [
      ...Object.values(bin),
      ...Object.values(exports).flatMap((entry) => Object.values(entry as object)),
    ];
    for (const path of named as string[]) assert.ok(files.includes(path.replace('./', '')), path);
  });

  it('sets itself up at its first use beside the packages of another project, and trains there', () => {
    const project = join(folder, 'beside');
    const modules = join(project, 'node_modules');
    mkdirSync(join(modules, 'gatelm'), { recursive: true });
    const unpacked = spawnSync('tar', [
      '-xzf',
      archive,
      '-C',
      join(modules, 'gatelm'),
      '--strip-components=1',
    ]);
    assert.equal(unpacked.status, 0, String(unpacked.stderr));
    for (const name of readdirSync(join(ROOT, 'node_modules')).filter((name) => !name.startsWith('.')))
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    // The kernels would be built anew: half a minute.
    const env = {
      GATELM_KERNELS: 'composed',
      GATELM_DATA_DIR: join(project, 'data'),
      GATELM_PORT: '0',
    };
    const help = gatelm(project, env, 'serve', '--help');
    assert.equal(help.status, 0, help.stderr);
    assert.equal(existsSync(join(modules, 'gatelm', 'node_modules')), false, 'help needs no set-up');
    const { status, stdout, stderr } = gatelm(project, env, 'quickstart', '--config', TINY);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stderr, /gatelm set-up: Node .*\n[\s\S]*✓ better-sqlite3: there already, loads/);
    assert.match(stdout, /listens on [\s\S]*done in \d+:\d\d; test perplexity \d/);
    assert.match(stdout, /The server stops now; npx gatelm serve starts it again/);
    const doctor = gatelm(project, env, 'doctor', '--json');
    assert.equal(doctor.status, 0, doctor.stderr);
    const { installedAs, setup } = JSON.parse(doctor.stdout);
    assert.equal(installedAs, 'package');
    assert.deepEqual(setup.pending, []);
  });

  it('is installed from the registry into an empty folder, and quickstarts there', {
    skip: !FULL && 'GATELM_TEST_PACKAGE=full installs it from the registry and builds its kernels',
  }, () => {
    const project = join(folder, 'empty');
    mkdirSync(project);
    const installed = npm(project, 'install', '--no-audit', '--no-fund', archive);
    assert.equal(installed.status, 0, installed.stderr);
    const env = { GATELM_DATA_DIR: join(project, 'data'), GATELM_PORT: '0' };
    const { status, stdout, stderr } = npx(project, env, 'gatelm', 'quickstart', '--config', TINY);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /done in \d+:\d\d; test perplexity \d/);
    const again = npx(project, env, 'gatelm', 'doctor', '--json');
    assert.deepEqual(JSON.parse(again.stdout).setup.pending, []);
    assert.equal(npx(project, env, 'gatelm', 'serve', '--help').status, 0);
  });
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function gatelm(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Outcome {
  const main = join(cwd, 'node_modules', 'gatelm', 'dist', 'src', 'cli', 'main.js');
  return spawnSync(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}

function npm(cwd: string, ...args: string[]): Outcome {
  return spawnSync('npm', args, { cwd, encoding: 'utf8' });
}

function npx(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Outcome {
  return spawnSync('npx', ['--no', ...args], { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
}
