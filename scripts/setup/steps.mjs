/** The steps of set-up, as a table. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { buildKernels } from './build.mjs';
import { runCommand, runNpm } from './command.mjs';
import { installPackage } from './fetch.mjs';
import { filesBelow, hashFiles, readJson, readStamps } from './files.mjs';
import { nativeStep } from './native-step.mjs';
import { say } from './output.mjs';
import { probeKernels, probeSqlite } from './probe.mjs';
import { tensorflow } from './tensorflow.mjs';

/**
 * @typedef {object} Step
 * @property {string} name as in --steps
 * @property {(settings: object) => boolean} [applies] false where there is nothing of the kind to do
 * @property {(settings: object) => string} key a hash of its inputs, in milliseconds
 * @property {(settings: object) => boolean} isThere whether its outcome is still there
 * @property {(settings: object) => Promise<object>} run gives the outcome in words, as `done`, and what to note in its stamp
 * @property {string} failure what could not be done where it throws
 * @property {(settings: object) => string | false} [instead] what is used then; without that set-up fails
 * @property {boolean} [isNative] whether a compiler might help then
 * @property {string[]} [advice] what else might
 */

/**
 * The packages of package-lock.json, without running their scripts: native parts are the later steps' work. Where gatelm
 * is itself an installed package npm has left tfjs-node out if its script failed: then all packages are installed again,
 * without scripts, in gatelm's own folder.
 * @type {Step}
 */
export const dependencies = {
  name: 'dependencies',
  applies: ({ root, backend }) => isCheckout(root) || backend !== 'wasm',
  key: ({ root }) => hashFiles(root, packageFiles(root)),
  isThere: ({ root, packageDir }) => existsSync(packageDir('@tensorflow/tfjs-node')) && isInstalled(root),
  async run(settings) {
    if (this.isThere(settings)) return { done: 'the packages are in node_modules already' };
    const command = isCheckout(settings.root)
      ? 'ci --include=dev'
      : 'install --prefix=. --omit=dev --no-package-lock';
    say(`→ dependencies: npm ${command}, about 500 MB on disk`);
    const args = `${command} --ignore-scripts --no-audit --no-fund --loglevel=error`.split(' ');
    await runNpm(settings, { name: 'dependencies', args, cwd: settings.root });
    return { done: 'installed by npm' };
  },
  failure: 'npm could not install the dependencies',
  instead: ({ root }) =>
    !isCheckout(root) && 'npm could not install tfjs-node: gatelm runs without it, slower',
  advice: [
    'check that npm reaches a registry: npm ping',
    'behind a proxy or with a mirror: npm config set proxy … / registry …',
  ],
};

/** The server cannot run without better-sqlite3's native part. */
const sqlite = nativeStep({
  name: 'better-sqlite3',
  packageName: 'better-sqlite3',
  abi: `abi${process.versions.modules}`,
  paths: [join('build', 'Release', 'better_sqlite3.node')],
  probe: probeSqlite,
  ways: (settings) => [
    {
      name: 'installer',
      what: 'its prebuilt binary, 2 MB, or else from source, about a minute',
      make: () => installPackage(settings, 'better-sqlite3'),
    },
  ],
  failure: 'better-sqlite3, the database, could not be installed',
  advice: ['let this machine reach its downloads (npm_config_better_sqlite3_binary_host names a mirror)'],
});

/** gatelm's own kernels in native/. @type {Step} */
const kernels = {
  name: 'kernels',
  applies({ root, backend, kernels }) {
    if (backend === 'wasm' || kernels === 'composed' || !existsSync(join(root, 'native'))) return false;
    return kernels === 'fused' || !readStamps(root).tensorflow?.reasons; // there is nothing to link with
  },
  key({ root }) {
    const sources = filesBelow(join(root, 'native'), undefined, ['build', 'test']);
    const { version, key } = readStamps(root).tensorflow ?? {};
    return [hashFiles(root, sources), version, key].join(' ');
  },
  isThere: ({ root }) => existsSync(kernelsFile(root)),
  async run(settings) {
    rmSync(kernelsFile(settings.root), { force: true }); // none rather than an old one
    say('→ kernels: building native/ with node-gyp, about half a minute');
    await buildKernels(settings);
    const { used } = await probeKernels(settings, kernelsFile(settings.root));
    return { done: `built, load (${used})` };
  },
  failure: 'GATELM_KERNELS=fused, but the kernels could not be built',
  instead: ({ kernels }) => kernels !== 'fused' && 'not built, composed TensorFlow ops serve instead, slower',
  isNative: true,
};

/** Where src/kernels looks for them. */
export function kernelsFile(root) {
  return join(root, 'native', 'build', 'Release', 'gatelm_kernels.node');
}

/** The TypeScript build, into dist/. @type {Step} */
const typescript = {
  name: 'typescript',
  applies: ({ root }) => isCheckout(root),
  key({ root }) {
    const sources = modulesIn(root, '.ts').map((name) => join(root, `${name}.ts`));
    return hashFiles(root, [...sources, join(root, 'tsconfig.json'), ...packageFiles(root)]);
  },
  // The server loads every route that it finds in dist/: also one whose source is gone.
  isThere: ({ root }) => String(modulesIn(root, '.ts')) === String(modulesIn(join(root, 'dist'), '.js')),
  async run(settings) {
    const { root } = settings;
    const [dist, sources] = [join(root, 'dist'), modulesIn(root, '.ts')];
    const built = modulesIn(dist, '.js');
    for (const name of built.filter((name) => !sources.includes(name))) {
      for (const ending of ['.js', '.js.map', '.d.ts', '.d.ts.map'])
        rmSync(join(dist, name + ending), { force: true });
    }
    // What tsc remembers would make it leave out files that it has written once.
    if (!sources.every((name) => built.includes(name)))
      rmSync(join(dist, 'tsconfig.tsbuildinfo'), { force: true });
    say(`→ typescript: tsc, ${sources.length} files`);
    const args = [join(settings.packageDir('typescript'), 'bin', 'tsc'), '-p', 'tsconfig.json'];
    await runCommand({ ...settings, name: 'tsc', program: process.execPath, args, cwd: root });
    return { done: 'no type error' };
  },
  failure: 'the TypeScript sources do not compile',
  advice: ['correct what the compiler names; npm run build shows it alone'],
};

/** The dashboard in web/, built by Vite into dist/dashboard. @type {Step} */
const dashboard = {
  name: 'dashboard',
  applies: ({ root }) => existsSync(join(root, 'web', 'index.html')),
  key({ root }) {
    const files = filesBelow(join(root, 'web'));
    return hashFiles(root, [...new Set([...files, ...files.flatMap(importsOf)]), ...packageFiles(root)]);
  },
  isThere: ({ root }) => existsSync(join(root, 'dist', 'dashboard', 'index.html')),
  async run(settings) {
    rmSync(join(settings.root, 'dist', 'dashboard'), { recursive: true, force: true }); // none rather than an old one
    say('→ dashboard: building web/ with Vite, a few seconds');
    await runNpm(settings, { name: 'dashboard-build', args: ['run', 'build:web'], cwd: settings.root });
    return { done: 'built' };
  },
  failure: 'the dashboard could not be built',
  instead: () => 'not built, the server runs without it',
};

/** Run in this order, the groups side by side: they share nothing but node_modules. @type {Step[][]} */
export const GROUPS = [[sqlite], [tensorflow, kernels], [typescript], [dashboard]];

/** As in tsconfig.json's include. */
const SOURCE_FOLDERS = ['src', 'workers', 'scripts', 'test', 'bench', 'examples', 'web/logic'];

/** The modules below a folder, as paths without ending, in order. */
function modulesIn(root, ending) {
  const isModule = (path) => path.endsWith(ending) && !path.endsWith('.d.ts');
  const files = SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(root, folder), isModule));
  return files.map((file) => relative(root, file).slice(0, -ending.length)).sort();
}

/** TypeScript files of src that a file of web/ names, so that a change of these builds the dashboard again. */
function importsOf(file) {
  if (!/\.tsx?$/.test(file)) return [];
  const names = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)];
  return names.map(([, name]) => `${resolve(dirname(file), name)}.ts`).filter(existsSync);
}

/** A package that is installed has no package-lock.json. */
function isCheckout(root) {
  return existsSync(join(root, 'package-lock.json'));
}

function packageFiles(root) {
  return ['package.json', 'package-lock.json'].map((name) => join(root, name)).filter(existsSync);
}

/** Whether node_modules holds what the lock file names, by npm's own list: somebody may have run npm by hand. */
function isInstalled(root) {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  return Object.entries(wanted).every(([path, { integrity, optional, devOptional }]) => {
    if (path === '' || (!installed[path] && (optional || devOptional))) return true; // another platform's
    return installed[path]?.integrity === integrity && existsSync(join(root, path, 'package.json'));
  });
}
