/**
 * libtensorflow and tfjs-node's binding to it, from the pinned wheel or by tfjs-node's own installer. Where they cannot be
 * had gatelm runs on TensorFlow.js's WebAssembly backend.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBinding, requireBuildTools } from './build.mjs';
import { provide } from './cache.mjs';
import { fetchWheel, installPackage, WHEEL } from './fetch.mjs';
import { readJson } from './files.mjs';
import { say } from './output.mjs';
import { probeTensorflow } from './probe.mjs';
import { unpackWheel } from './unpack.mjs';

const PACKAGE = '@tensorflow/tfjs-node';
const TARGET = `${process.platform}-${process.arch}`;
/** Where tfjs-node 4.22 looks for the library, and for the binding of the highest version of N-API that it knows. */
const PATHS = ['deps', join('lib', 'napi-v8', 'tfjs_binding.node')];

/** @type {import('./steps.mjs').Step} */
export const tensorflow = {
  name: 'tensorflow',
  applies: ({ backend }) => backend !== 'wasm',
  key: (settings) => keyOf(settings, 'libtensorflow'),
  isThere: ({ packageDir }) => PATHS.every((path) => existsSync(join(packageDir(PACKAGE), path))),
  async run(settings) {
    const { packageDir, sources } = settings;
    const dir = packageDir(PACKAGE);
    if (!existsSync(dir)) throw new Error('tfjs-node is not installed');
    if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime)
      throw new Error('it needs glibc; this Linux has another C library (musl)');
    const ways = [
      {
        name: 'wheel',
        what: `the wheel ${WHEEL.requirement} by pip, 274 MB`,
        key: keyOf(settings, WHEEL.requirement.replace('==', '-')),
        make: () => fromWheel(settings, dir),
      },
      {
        name: 'installer',
        what: 'tfjs-node’s own installer, downloading 100 to 200 MB',
        key: keyOf(settings, 'installer'),
        make: () => installPackage(settings, PACKAGE),
      },
    ];
    return provide(settings, {
      step: 'tensorflow',
      dir,
      paths: PATHS,
      probe: () => probeTensorflow(settings),
      keys: sources.includes('cache') ? ways.map(({ key }) => key) : [],
      ways: ways.filter(({ name }) => sources.includes(name)),
    });
  },
  failure: 'GATELM_BACKEND=native, but libtensorflow could not be installed',
  instead: ({ backend }) =>
    backend !== 'native' &&
    'libtensorflow could not be installed: gatelm runs on its WebAssembly backend, several times slower',
  isNative: true,
  advice: [
    `let pip reach an index that has ${WHEEL.requirement} (pip config set global.index-url …, PIP_FIND_LINKS), ` +
      'or let this machine reach the address of tfjs-node’s installer (TFJS_NODE_CDN_STORAGE names a mirror)',
  ],
};

async function fromWheel(settings, dir) {
  if (TARGET !== 'linux-x64') throw new Error(`the pinned wheel is for linux-x64, this is ${TARGET}`);
  requireBuildTools(settings); // before anything large is downloaded
  const folder = join(settings.cacheDir, 'download');
  const wheel = await fetchWheel(settings, WHEEL, folder);
  say('→ tensorflow: unpacking the wheel, 850 MB');
  await unpackWheel(settings, wheel, join(dir, 'deps'));
  say('→ tensorflow: building tfjs-node’s binding, about 10 s');
  await buildBinding(settings, dir);
  await rm(folder, { recursive: true });
}

/** The key of a library and its binding in the cache. */
function keyOf({ packageDir }, library) {
  const { version } = readJson(join(packageDir(PACKAGE), 'package.json')) ?? {};
  return `tfjs-node-${version}-${TARGET}-${library}`;
}
