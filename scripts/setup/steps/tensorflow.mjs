/**
 * libtensorflow and tfjs-node's binding to it. Where they cannot be had gatelm runs on TensorFlow.js's WebAssembly
 * backend, so this step fails only where GATELM_BACKEND=native asks for them.
 */
import { existsSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildBinding, buildToolsAdvice, missingBuildTools, requireBuildTools } from '../build.mjs';
import { isCached, keep, obtain, place, provide } from '../cache.mjs';
import { AttemptsError, firstThatWorks } from '../failure.mjs';
import { downloadWheel, runTfjsInstaller, WHEEL } from '../fetch.mjs';
import { probeTensorflow } from '../probe.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { readJson } from '../stamps.mjs';
import { unpackWheel } from '../unpack.mjs';
import { verifyWheel } from '../verify.mjs';

const NAME = 'tensorflow';
const SOURCES = { cache: fromCache, wheel: fromWheel, installer: fromInstaller };
const TARGET = `${process.platform}-${process.arch}`;

/** @type {import('./step.mjs').Step} */
export const tensorflowStep = {
  name: NAME,

  applies: ({ settings }) => settings.backend !== 'wasm',

  key: ({ settings }) =>
    `${layoutOf(settings).version} ${process.platform} ${process.arch} abi${process.versions.modules}`,

  isThere({ settings }) {
    const { deps, binding } = layoutOf(settings);
    return bytesOf(join(deps, 'lib')) > 0 && bytesOf(binding) > 0;
  },

  async run(context) {
    const { settings, report } = context;
    const { dir, binding } = layoutOf(settings);
    const { libtensorflow: sources } = settings;
    if (!existsSync(dir)) throw new AttemptsError([['npm', new Error('tfjs-node is not installed')]]);
    if (sources.length === 0) throw new AttemptsError([['nowhere', new Error('GATELM_LIBTENSORFLOW=off')]]);
    // A library that another program has put there, tfjs-node's installer for one.
    const present = bytesOf(binding) > 0 && (await probeTensorflow(settings).catch(() => undefined));
    if (present) {
      report.line(`✓ ${NAME}: TensorFlow ${present} is there already and loads`);
      return { version: present, source: 'found' };
    }
    const take = async (source) => ({ version: await SOURCES[source](context), source });
    const found = await firstThatWorks(sources.map((source) => [source, () => take(source)]));
    report.line(`✓ ${NAME}: TensorFlow ${found.version} loads`);
    return found;
  },

  failure: () => 'GATELM_BACKEND=native, but libtensorflow could not be installed',

  advice: ({ env, command }) => [
    ...(missingBuildTools(env).length > 0 ? [buildToolsAdvice()] : []),
    `let pip reach an index that has ${WHEEL.requirement} (pip config set global.index-url …, PIP_FIND_LINKS), ` +
      'or let this machine reach the address of tfjs-node’s installer (TFJS_NODE_CDN_STORAGE names a mirror)',
    `then: ${command} --retry`,
  ],

  instead: ({ backend }) =>
    backend !== 'native' &&
    'libtensorflow could not be installed: gatelm runs on its WebAssembly backend, several times slower',
};

async function fromCache(context) {
  const { installerKey } = layoutOf(context.settings);
  const keys = wheelUnsuitable() ? [installerKey] : [wheelKey(WHEEL), installerKey];
  const key = keys.find((candidate) => isCached(context, candidate));
  if (!key) throw new Error(`no copy in ${context.settings.cacheDir}`);
  return install(context, key);
}

async function fromWheel(context) {
  const unsuitable = wheelUnsuitable();
  if (unsuitable) throw new Error(unsuitable);
  return install(context, wheelKey(WHEEL), () => obtainWheel(context, WHEEL));
}

async function fromInstaller(context) {
  const { dir, deps, binding, installerKey, bindingKey } = layoutOf(context.settings);
  if (isMusl()) throw new Error(wheelUnsuitable()); // its library is built for glibc too
  await runTfjsInstaller(context, dir);
  const version = await probeTensorflow(context.settings);
  await keep(context, bindingKey(installerKey), dirname(binding), [basename(binding)]);
  await keep(context, installerKey, deps, ['lib', 'include']);
  return version;
}

/** Places a library and makes the binding to it; that it can be made is seen before anything large is downloaded. */
async function install(context, key, download) {
  const { settings, report } = context;
  const { dir, deps, binding, bindingKey } = layoutOf(settings);
  if (!isCached(context, bindingKey(key)))
    requireBuildTools(settings.env, ', needed to build tfjs-node’s binding to it');
  await download?.();
  await report.task(NAME, `placing the copy of libtensorflow in ${settings.cacheDir}`, async () => {
    const { bytes, linked } = await place(context, key, deps);
    return `${megabytes(bytes)}, SHA-256 as noted, ${linked ? 'hard links: no further space' : 'copied'}`;
  });
  return provide(context, {
    step: NAME,
    key: bindingKey(key),
    file: binding,
    probe: () => probeTensorflow(settings),
    ways: [['building tfjs-node’s binding, about 10 s', () => buildBinding(settings, dir)]],
  });
}

/** The wheel's libraries and headers in the cache. @returns {Promise<string>} their folder */
export function obtainWheel(context, wheel) {
  const { settings, report } = context;
  return obtain(context, wheelKey(wheel), async (folder) => {
    const [free, needed] = [freeBytes(folder), wheel.bytes + wheel.unpackedBytes];
    if (free < needed)
      throw new Error(`${settings.cacheDir} has ${megabytes(free)} left, ${megabytes(needed)} are needed`);
    const download = join(folder, 'download');
    const file = await downloadWheel(context, wheel, download);
    await verifyWheel(file, wheel);
    await report.task(NAME, `unpacking ${megabytes(wheel.unpackedBytes)} of it`, async () => {
      return `${await unpackWheel(settings, file, folder)}, kept in ${settings.cacheDir}`;
    });
    await rm(download, { recursive: true });
  });
}

/** Why the wheel cannot serve on this machine, or undefined. */
function wheelUnsuitable() {
  if (TARGET !== 'linux-x64') return `the pinned wheel is for linux-x64, this is ${TARGET}`;
  return isMusl() ? 'it is built for glibc; this Linux has another C library (musl)' : undefined;
}

function isMusl() {
  return process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
}

function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function wheelKey({ requirement, sha256 }) {
  return `libtensorflow/${requirement.replace('==', '-')}-${sha256.slice(0, 16)}`;
}

/** Where tfjs-node lies and looks for its library and binding, and the keys of these in the cache. */
function layoutOf({ packageDir }) {
  const dir = packageDir('@tensorflow/tfjs-node');
  const version = readJson(join(dir, 'package.json'))?.version ?? '';
  return {
    dir,
    version,
    deps: join(dir, 'deps'),
    binding: join(dir, 'lib', 'napi-v8', 'tfjs_binding.node'), // the highest that tfjs-node 4.22 knows
    installerKey: `libtensorflow/tfjs-node-${version}-${TARGET}`,
    bindingKey: (libraryKey) => `binaries/tfjs_binding-${version}-${basename(libraryKey)}-napi8-${TARGET}`,
  };
}
