import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type FakeCheckout, makeFakeCheckout, makeFakeInstallation } from './fake-checkout.js';

/** "Under two seconds when nothing is to do", with room for a loaded machine: it takes a tenth of it. */
const NOTHING_TO_DO_MS = 2000;

interface Report {
  readonly backend: string;
  readonly kernels: string;
  readonly tensorflow: string | null;
  readonly reasons: string[];
}

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('set-up', () => {
  it('does all steps once, then says within two seconds that it is ready', () => {
    const checkout = fresh();
    const first = checkout.setUp();
    assert.equal(first.code, 0, first.text);
    assert.match(first.text, /✓ dependencies: .* \(\d+\.\d+ s\)/);
    assert.match(first.text, /✓ better-sqlite3: .* loads \(SQLite prebuilt\)/);
    assert.match(first.text, /✓ tensorflow: from installer, loads \(TensorFlow 2\.9\.1\)/);
    assert.match(first.text, /✓ typescript: no type error/);
    assert.deepEqual(report(checkout), {
      backend: 'native',
      kernels: 'composed',
      tensorflow: '2.9.1',
      reasons: ['no fused kernels, it has not been built here'],
    });
    const second = checkout.setUp();
    assert.equal(second.code, 0);
    assert.match(second.text, /^gatelm set-up: ready, native backend, composed kernels: slower/);
    assert.doesNotMatch(second.text, /→/);
    assert.ok(second.milliseconds < NOTHING_TO_DO_MS, `took ${second.milliseconds} ms`);
    assert.equal(checkout.setUp({}, '--quiet').text, '');
  });

  it('runs three at once in one checkout: each step runs once, and all are ready', async () => {
    const checkout = fresh();
    const outcomes = await checkout.setUpAtOnce(3);
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 0, 0],
    );
    const steps = outcomes.flatMap(({ text }) => [...text.matchAll(/✓ ([\w-]+):/g)].map(([, step]) => step));
    assert.equal(steps.length, new Set(steps).size, outcomes.map(({ text }) => text).join('\n'));
    assert.ok(steps.includes('typescript'));
    for (const { text } of outcomes) assert.match(text, /gatelm set-up: ready, native backend/);
    assert.deepEqual(readdirSync(join(checkout.root, 'dist', '.setup')), ['logs']);
  });

  it('does again what an input has changed, and what has gone missing', () => {
    const checkout = fresh();
    checkout.setUp();
    checkout.write('src/a.ts', 'export {};');
    assert.deepEqual(stepsOf(checkout.setUp().text), ['typescript']);
    rmSync(join(checkout.root, 'dist', 'src', 'a.js'));
    assert.deepEqual(stepsOf(checkout.setUp().text), ['typescript']);
    checkout.write('dist/src/gone.js', '');
    assert.deepEqual(stepsOf(checkout.setUp().text), ['typescript']);
    assert.equal(existsSync(join(checkout.root, 'dist', 'src', 'gone.js')), false);
    rmSync(join(checkout.root, 'node_modules', 'better-sqlite3', 'build'), { recursive: true });
    assert.match(checkout.setUp().text, /✓ better-sqlite3: copied from/);
    checkout.write('package-lock.json', '{"packages":{"":{},"node_modules/new":{"version":"1.0.0"}}}');
    assert.ok(stepsOf(checkout.setUp().text).includes('dependencies'));
  });

  it('builds better-sqlite3 from source where its prebuilt binary cannot be had', () => {
    const { code, text } = fresh().setUp({ FAKE_PREBUILT: 'fail' });
    assert.equal(code, 0, text);
    assert.match(text, /✓ better-sqlite3: .* loads \(SQLite from source\)/);
  });

  it('fails without better-sqlite3, and says what was tried, why it failed and what to do', () => {
    const checkout = fresh();
    const { code, text } = checkout.setUp({ FAKE_PREBUILT: 'fail', FAKE_GYP: 'fail' });
    assert.equal(code, 1);
    assert.match(text, /✗ set-up failed: better-sqlite3, the database, could not be installed/);
    assert.match(
      text,
      /→ better-sqlite3: its prebuilt binary, 2 MB, or else from source[\s\S]*tried installer: src\/a\.cc:1:2: error: no such/,
    );
    assert.match(text, /\| prebuild-install warn install no such host/);
    assert.match(text, /to do: let this machine reach its downloads/);
    assert.match(text, /to do: npm run setup -- --retry/);
    const log = /all of its output: (.*)/.exec(text)?.[1] ?? '';
    assert.ok(existsSync(log), `no log at "${log}"`);
    assert.equal(checkout.setUp().code, 0, 'the next try succeeds');
  });

  it('builds with clang where no other compiler is there', { skip: process.platform !== 'linux' }, () => {
    const checkout = fresh();
    checkout.write('native/binding.gyp', '{}');
    rmSync(join(checkout.programs, 'c++'));
    for (const [name, compiler] of [
      ['clang++', 'clang++'],
      ['g++', ''],
    ] as const) {
      checkout.addProgram(name);
      checkout.setUp({ FAKE_GYP: 'environment', GATELM_KERNELS: 'fused' });
      const log = checkout.read('dist/.setup/logs/kernels-build.log');
      assert.match(
        log,
        new RegExp(`CC=${compiler.replace('++', '')} CXX=${compiler.replace(/\+/g, '\\+')}$`, 'm'),
      );
    }
  });

  it('runs on WebAssembly where libtensorflow cannot be had, remembers it, and tries again when asked', () => {
    const checkout = fresh();
    const { code, text } = checkout.setUp({ FAKE_INSTALLER: 'fail' });
    assert.equal(code, 0, text);
    assert.match(text, /WebAssembly backend, several times slower/);
    assert.match(text, /tried cache: no copy in /);
    assert.match(text, /tried wheel: no index \(log: /);
    assert.match(text, /tried installer: getaddrinfo ENOTFOUND nowhere\.invalid \(log: /);
    assert.match(text, /to do: npm run setup -- --retry/);
    assert.deepEqual(report(checkout).reasons.slice(2), [
      'no libtensorflow, installer: getaddrinfo ENOTFOUND nowhere.invalid',
    ]);
    const quiet = checkout.setUp({}, '--quiet');
    assert.match(quiet.text, /^gatelm set-up: ready, WebAssembly backend: slower \([\d.]+ s\)\n$/);
    assert.equal(checkout.setUp({}, '--retry').code, 0);
    assert.equal(report(checkout).backend, 'native');
  });

  it('tries again by itself when a variable that matters has changed', () => {
    const checkout = fresh();
    checkout.setUp({ FAKE_INSTALLER: 'fail', TFJS_NODE_BASE_URI: 'nowhere' });
    checkout.setUp({ TFJS_NODE_BASE_URI: 'nowhere' });
    assert.equal(report(checkout).backend, 'wasm');
    checkout.setUp();
    assert.equal(report(checkout).backend, 'native');
  });

  it('takes libtensorflow from the cache in the next checkout', () => {
    const checkout = fresh();
    checkout.setUp();
    rmSync(join(checkout.root, 'node_modules'), { recursive: true });
    const { code, text } = checkout.setUp({ FAKE_INSTALLER: 'fail' });
    assert.equal(code, 0, text);
    assert.match(text, /✓ tensorflow: .* SHA-256 as noted, hard links/);
    assert.equal(report(checkout).backend, 'native');
  });

  it('fails with GATELM_BACKEND=native where libtensorflow cannot be had, and asks for none with wasm', () => {
    const checkout = fresh();
    const native = checkout.setUp({ FAKE_INSTALLER: 'fail', GATELM_BACKEND: 'native' });
    assert.equal(native.code, 1);
    assert.match(native.text, /GATELM_BACKEND=native, but libtensorflow could not be installed/);
    const wasm = checkout.setUp({ FAKE_INSTALLER: 'fail', GATELM_BACKEND: 'wasm' });
    assert.equal(wasm.code, 0, wasm.text);
    assert.doesNotMatch(wasm.text, /installer/);
    assert.deepEqual(report(checkout, { GATELM_BACKEND: 'wasm' }).reasons, [
      'no libtensorflow, GATELM_BACKEND=wasm',
    ]);
  });

  it('reports what GATELM_BACKEND and GATELM_KERNELS decline, also where it is there', () => {
    const checkout = fresh();
    checkout.write('native/binding.gyp', '{}');
    checkout.setUp({ FAKE_GYP: 'fail' });
    const wasm = checkout.setUp({ GATELM_BACKEND: 'wasm' });
    assert.match(wasm.text, /^gatelm set-up: ready, WebAssembly backend: slower/);
    assert.deepEqual(report(checkout, { GATELM_BACKEND: 'wasm' }).reasons, [
      'no libtensorflow, GATELM_BACKEND=wasm',
    ]);
    const composed = report(checkout, { GATELM_KERNELS: 'composed' });
    assert.equal(composed.backend, 'native');
    assert.deepEqual(composed.reasons, ['no fused kernels, GATELM_KERNELS=composed']);
  });

  it('goes on with composed ops where the kernels cannot be built, and names the compiler’s error', () => {
    const checkout = fresh();
    checkout.write('native/binding.gyp', '{}');
    const { code, text } = checkout.setUp({ FAKE_GYP: 'fail' });
    assert.equal(code, 0, text);
    assert.match(
      text,
      /! kernels: not built, composed TensorFlow ops serve instead, slower: src\/a\.cc:1:2: /,
    );
    assert.deepEqual(report(checkout).reasons, ['no fused kernels, src/a.cc:1:2: error: no such type']);
    assert.equal(checkout.setUp({ FAKE_GYP: 'fail', GATELM_KERNELS: 'fused' }).code, 1);
  });

  it('fails with the compiler’s text on a type error, each time until it is corrected', () => {
    const checkout = fresh();
    for (let time = 0; time < 2; time++) {
      const { code, text } = checkout.setUp({ FAKE_TSC: 'fail' });
      assert.equal(code, 1);
      assert.match(text, /the TypeScript sources do not compile.*\n {4}\| src\/a\.ts\(1,1\): error TS1: no/);
    }
    assert.equal(checkout.setUp().code, 0);
  });

  it('builds the dashboard, again when it or what it imports has changed, and goes on where it cannot', () => {
    const checkout = fresh();
    checkout.write('web/index.html', '<html>');
    checkout.write('web/src/main.ts', "import { a } from '../../src/a.js';");
    assert.match(checkout.setUp().text, /✓ dashboard: /);
    assert.equal(checkout.read('dist/dashboard/index.html'), 'dashboard');
    checkout.write('tsconfig.json', '{ }');
    assert.deepEqual(stepsOf(checkout.setUp().text), ['typescript']);
    checkout.write('src/a.ts', 'export const a = 1;');
    const broken = checkout.setUp({ FAKE_VITE: 'fail' });
    assert.equal(broken.code, 0, broken.text);
    assert.match(broken.text, /! dashboard: not built, the server runs without it: dashboard-build failed/);
    assert.match(broken.text, /\| web\/src\/main\.ts: no such name/);
    assert.equal(existsSync(join(checkout.root, 'dist', 'dashboard')), false);
    assert.deepEqual(stepsOf(checkout.setUp().text), [], 'the same sources are not built again');
    assert.deepEqual(stepsOf(checkout.setUp({}, '--retry').text), ['dashboard']);
  });

  it('fails without dependencies, showing npm’s words, and leaves no lock', () => {
    const checkout = fresh();
    const { code, text } = checkout.setUp({ FAKE_NPM: 'fail' });
    assert.equal(code, 1);
    assert.match(text, /npm could not install the dependencies/);
    assert.match(text, /\| npm error network down/);
    assert.deepEqual(readdirSync(join(checkout.root, 'dist', '.setup')), ['logs']);
  });

  it('of an installed package gets tfjs-node where npm has left it out, and builds no sources', () => {
    const { setUp, root } = track(makeFakeInstallation());
    const { code, text } = setUp();
    assert.equal(code, 0, text);
    assert.match(text, /✓ dependencies: /);
    assert.match(text, /✓ tensorflow: from installer, loads \(TensorFlow 2\.9\.1\)/);
    assert.doesNotMatch(text, /typescript/);
    assert.ok(existsSync(join(root, 'node_modules', '@tensorflow', 'tfjs-node', 'deps', 'lib')));
    assert.deepEqual(stepsOf(setUp().text), []);
  });

  it('of an installed package runs on WebAssembly where npm cannot get tfjs-node, and says how to try again', () => {
    const checkout = track(makeFakeInstallation());
    const { code, text } = checkout.setUp({ FAKE_NPM: 'fail' });
    assert.equal(code, 0, text);
    assert.match(text, /! dependencies: npm could not install[\s\S]*\| npm error network down/);
    assert.match(text, /slower: tfjs-node is not installed\n[\s\S]*to do: npx gatelm setup --retry/);
    assert.equal(report(checkout).backend, 'wasm');
    assert.deepEqual(stepsOf(checkout.setUp().text), []);
    checkout.setUp({}, '--retry');
    assert.equal(report(checkout).backend, 'native');
  });

  it('says what to do where it may not write', () => {
    const checkout = fresh();
    checkout.write('file', '');
    const { code, text } = checkout.setUp({ GATELM_CACHE_DIR: join(checkout.root, 'file') });
    assert.equal(code, 1);
    assert.match(
      text,
      /the database, could not be installed: E\w+: .*'[\s\S]*to do: make room .*GATELM_CACHE_DIR/,
    );
  });

  it('names an unknown option, step or value', () => {
    const checkout = fresh();
    assert.match(checkout.setUp({}, '--fast').text, /Unknown option '--fast'/);
    assert.match(
      checkout.setUp({}, '--steps=kernel').text,
      /--steps names "kernel"\n.*choose from dependencies, /,
    );
    assert.match(
      checkout.setUp({ GATELM_BACKEND: 'gpu' }).text,
      /GATELM_BACKEND names "gpu"\n.*auto, native, wasm/,
    );
  });
});

function fresh(): FakeCheckout {
  return track(makeFakeCheckout());
}

/** Removes it in the end. */
function track(checkout: FakeCheckout): FakeCheckout {
  folders.push(dirname(checkout.root));
  return checkout;
}

/** What it would tell `gatelm doctor`. */
function report(checkout: FakeCheckout, variables: Record<string, string> = {}): Report {
  const { backend, kernels, tensorflow, reasons } = JSON.parse(checkout.setUp(variables, '--report').text);
  return { backend, kernels, tensorflow, reasons };
}

function stepsOf(text: string): string[] {
  return [...text.matchAll(/→ ([\w-]+):/g)].map(([, step]) => step!);
}
