import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A checkout with the true scripts/ and packages that only pretend, and what its set-up said. */
export interface FakeCheckout {
  readonly root: string;
  /** The folder of its PATH, with pretended programs. */
  readonly programs: string;
  addProgram(name: string): void;
  /** Runs set-up; variables steer the fakes: FAKE_NPM=fail, FAKE_PREBUILT=fail, FAKE_GYP=fail or environment, FAKE_TSC=fail, FAKE_VITE=fail, FAKE_INSTALLER=fail. */
  setUp(variables?: Record<string, string>, ...options: string[]): Outcome;
  /** Runs several at once. */
  setUpAtOnce(count: number): Promise<Outcome[]>;
  write(path: string, content: string): void;
  read(path: string): string;
}

export interface Outcome {
  readonly code: number | null;
  readonly text: string;
  readonly milliseconds: number;
}

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

/** npm: lays the pretended packages out, as `npm ci` does, and runs scripts. */
const NPM = `
  const { cpSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
  if (process.argv[2] === 'run' && process.argv[3] === 'install') {
    const { install } = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
    const { status } = require('node:child_process').spawnSync(install, { shell: '/bin/sh', stdio: 'inherit' });
    process.exit(status);
  }
  if (process.argv[3] === 'build:web') {
    if (process.env.FAKE_VITE === 'fail') { console.error('web/src/main.ts: no such name'); process.exit(1); }
    ${writing('dist/dashboard/index.html', 'dashboard')}
    process.exit(0);
  }
  const [, , command] = process.argv;
  if (command !== 'ci' && command !== 'install') throw new Error('expected npm ci or install');
  if (process.env.FAKE_NPM === 'fail') { console.error('npm error network down'); process.exit(7); }
  if (command === 'ci') rmSync('node_modules', { recursive: true, force: true });
  cpSync('packages', 'node_modules', { recursive: true });
  writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: {} }));`;

const PACKAGES: Record<string, string> = {
  'better-sqlite3/package.json': JSON.stringify({
    version: '1.0.0',
    scripts: { install: `${runs('../prebuild-install/bin.js')} || ${runs('../node-gyp/bin/node-gyp.js')}` },
  }),
  'better-sqlite3/index.js': `
    const row = { version: require('node:fs').readFileSync(__dirname + '/build/Release/better_sqlite3.node', 'utf8') };
    module.exports = class { prepare() { return { get: () => row }; } };`,
  'prebuild-install/package.json': '{}',
  'prebuild-install/bin.js': `
    if (process.env.FAKE_PREBUILT === 'fail') {
      console.error('prebuild-install warn install no such host');
      process.exit(1);
    }
    ${writing('build/Release/better_sqlite3.node', 'prebuilt')}`,
  'node-gyp/package.json': '{}',
  'node-gyp/bin/node-gyp.js': `
    if (process.env.FAKE_GYP === 'fail') { console.error('src/a.cc:1:2: error: no such type'); process.exit(1); }
    if (process.env.FAKE_GYP === 'environment') {
      console.log('CC=' + (process.env.CC ?? '') + ' CXX=' + (process.env.CXX ?? ''));
      process.exit(1);
    }
    ${writing('build/Release/better_sqlite3.node', 'from source')}`,
  'typescript/bin/tsc': `
    if (process.env.FAKE_TSC === 'fail') { console.log('src/a.ts(1,1): error TS1: no'); process.exit(2); }
    ${writing('dist/src/a.js', '')}`,
  '@tensorflow/tfjs-node/package.json': JSON.stringify({
    version: '1.0.0',
    main: 'index.js',
    scripts: { install: runs('scripts/install.js') },
  }),
  '@tensorflow/tfjs-node/index.js': `
    const TF_Version = require('node:fs').readFileSync(__dirname + '/lib/napi-v8/tfjs_binding.node', 'utf8');
    exports.tensor1d = () => ({ sum: () => ({ dataSync: () => [3] }) });
    exports.backend = () => ({ binding: { TF_Version } });`,
  '@tensorflow/tfjs-node/scripts/install.js': `
    if (process.env.FAKE_INSTALLER === 'fail') {
      console.error('Error: getaddrinfo ENOTFOUND nowhere.invalid');
      process.exit(1);
    }
    ${writing('deps/lib/libtensorflow.so', 'library')}
    ${writing('deps/lib/libtensorflow.dylib', 'library')}
    ${writing('deps/include/tensorflow/c/c_api.h', '')}
    ${writing('lib/napi-v8/tfjs_binding.node', '2.9.1')}`,
};

/** gatelm as a package beside those that it needs, but for tfjs-node, which npm left out when its script failed. */
export function makeFakeInstallation(): FakeCheckout {
  const checkout = makeFakeCheckout();
  for (const path of ['package-lock.json', 'tsconfig.json', 'src'])
    rmSync(join(checkout.root, path), { recursive: true });
  const modules = join(dirname(checkout.root), 'node_modules');
  cpSync(join(checkout.root, 'packages'), modules, { recursive: true });
  rmSync(join(modules, '@tensorflow'), { recursive: true });
  return checkout;
}

/** Makes one below a temporary folder; its PATH has no program of this machine. */
export function makeFakeCheckout(): FakeCheckout {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-setup-'));
  const root = join(folder, 'checkout');
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  mkdirSync(root);
  cpSync(join(REPOSITORY, 'scripts', 'setup'), join(root, 'scripts', 'setup'), { recursive: true });
  cpSync(join(REPOSITORY, 'scripts', 'setup.mjs'), join(root, 'scripts', 'setup.mjs'));
  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  write('package.json', '{}');
  write('package-lock.json', '{"packages":{"":{}}}');
  write('tsconfig.json', '{}');
  write('src/a.ts', '');
  for (const [path, content] of Object.entries(PACKAGES)) write(join('packages', path), content);
  const addProgram = (name: string, content = '') =>
    writeFileSync(join(programs, name), content, { mode: 0o755 });
  addProgram('npm', `#!${process.execPath}${NPM}`);
  addProgram('python3', `#!${process.execPath}\nconsole.error('ERROR: no index'); process.exit(1);`);
  for (const name of ['c++', 'make']) addProgram(name);
  const environment = {
    HOME: folder,
    PATH: programs,
    GATELM_CACHE_DIR: join(folder, 'cache'),
  };
  async function startSetUp(): Promise<Outcome> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [join(root, 'scripts', 'setup.mjs')], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { code, text: output, milliseconds: performance.now() - startedAt };
  }
  return {
    root,
    programs,
    addProgram,
    write,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    setUpAtOnce: (count) => Promise.all(Array.from({ length: count }, startSetUp)),
    setUp(variables = {}, ...options) {
      const startedAt = performance.now();
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(root, 'scripts', 'setup.mjs'), ...options],
        { cwd: folder, env: { ...environment, ...variables }, encoding: 'utf8' },
      );
      return { code: status, text: stdout + stderr, milliseconds: performance.now() - startedAt };
    },
  };
}

/** A shell command that runs a script of Node. */
function runs(script: string): string {
  return `'${process.execPath}' ${script}`;
}

function writing(path: string, content: string): string {
  return `
    require('node:fs').mkdirSync(require('node:path').dirname('${path}'), { recursive: true });
    require('node:fs').writeFileSync('${path}', '${content}');`;
}
