/**
 * libtensorflow and tfjs-node's binding to it. Where they cannot be had gatelm runs on TensorFlow.js's WebAssembly
 * backend, so this step fails only where GATELM_BACKEND=native asks for them.
 */
import { existsSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  buildBinding,
  buildToolsAdvice,
  findPython,
  missingBuildTools,
  requireBuildTools,
} from '../build.mjs';
import { isCached, keep, obtain, place, provide } from '../cache.mjs';
import { reasonOf, SetupError } from '../failure.mjs';
import { downloadWheel, runTfjsInstaller, WHEEL, wheelUnsuitable } from '../fetch.mjs';
import { probeTensorflow } from '../probe.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { hashOf, readJson } from '../stamps.mjs';
import { unpackWheel } from '../unpack.mjs';
import { verifyWheel } from '../verify.mjs';

const NAME = 'tensorflow';
const SOURCES = { cache: fromCache, wheel: fromWheel, installer: fromInstaller };

/** @type {import('./is-done.mjs').Step} */
export const tensorflowStep = {
  name: NAME,

  applies: ({ settings }) => settings.backend !== 'wasm',

  key: ({ settings }) =>
    `${layoutOf(settings).version} ${process.platform} ${process.arch} abi${process.versions.modules}`,

  isThere({ settings }, stamp) {
    if (stamp.unavailable)
      return settings.backend === 'auto' && stamp.circumstances === circumstancesOf(settings);
    const library = { darwin: 'libtensorflow.dylib', win32: 'tensorflow.lib' }[process.platform];
    const { deps, binding } = layoutOf(settings);
    const files = [join(deps, 'lib', library ?? 'libtensorflow.so'), binding];
    return files.every((file) => bytesOf(file) > 0);
  },

  async run(context) {
    const { settings, report } = context;
    const present = await inPlace(settings);
    if (present) {
      report.line(`✓ ${NAME}: TensorFlow ${present} is there already and loads`);
      return { version: present, source: 'found' };
    }
    if (!existsSync(layoutOf(settings).dir)) return giveUp(context, [['npm', 'tfjs-node is not installed']]);
    const failures = settings.libtensorflow.length > 0 ? [] : [['nowhere', 'GATELM_LIBTENSORFLOW=off']];
    for (const source of settings.libtensorflow) {
      try {
        const version = await SOURCES[source](context);
        report.line(`✓ ${NAME}: TensorFlow ${version} loads`);
        return { version, source };
      } catch (error) {
        failures.push([source, reasonOf(error), error.logFile]);
      }
    }
    return giveUp(context, failures);
  },
};

/** A library that another program has put there, tfjs-node's installer for one. */
async function inPlace(settings) {
  if (settings.libtensorflow.length === 0 || bytesOf(layoutOf(settings).binding) === 0) return undefined;
  return probeTensorflow(settings).catch(() => undefined);
}

async function fromCache(context) {
  const keys = [...(wheelUnsuitable() ? [] : [wheelKey(WHEEL)]), layoutOf(context.settings).installerKey];
  const key = keys.find((candidate) => isCached(context, candidate));
  if (!key) throw new Error(`no copy in ${context.settings.cacheDir}`);
  return install(context, key);
}

async function fromWheel(context) {
  const unsuitable = wheelUnsuitable();
  if (unsuitable) throw new Error(unsuitable);
  return install(context, wheelKey(WHEEL), () => obtainWheel(context, WHEEL));
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
    requireSpace(settings.cacheDir, wheel.bytes + wheel.unpackedBytes);
    const download = join(folder, 'download');
    const file = await downloadWheel(context, wheel, download);
    await verifyWheel(file, wheel);
    await report.task(NAME, `unpacking ${megabytes(wheel.unpackedBytes)} of it`, async () => {
      return `${await unpackWheel(settings, file, folder)}, kept in ${settings.cacheDir}`;
    });
    await rm(download, { recursive: true });
  });
}

async function fromInstaller(context) {
  const { settings } = context;
  const { dir, deps, binding, installerKey, bindingKey } = layoutOf(settings);
  const why = wheelUnsuitable();
  if (why?.includes('musl')) throw new Error(why); // its library is built for glibc too
  await runTfjsInstaller(context, dir);
  const version = await probeTensorflow(settings);
  await keep(context, bindingKey(installerKey), dirname(binding), [basename(binding)]);
  await keep(context, installerKey, deps, ['lib', 'include']);
  return version;
}

function giveUp({ settings, report }, failures) {
  const tried = failures.map(([source, why, log]) => `${source}: ${why}${log ? ` (log: ${log})` : ''}`);
  const advice = [
    ...(missingBuildTools(settings.env).length > 0 ? [buildToolsAdvice()] : []),
    `let pip reach an index that has ${WHEEL.requirement} (pip config set global.index-url …, PIP_FIND_LINKS), ` +
      'or let this machine reach the address of tfjs-node’s installer (TFJS_NODE_CDN_STORAGE names a mirror)',
    `then: ${settings.command} --retry`,
  ];
  if (settings.backend === 'native')
    throw new SetupError('GATELM_BACKEND=native, but libtensorflow could not be installed', {
      tried,
      advice,
    });
  const lines = [
    'libtensorflow could not be installed: gatelm runs on its WebAssembly backend, several times slower',
    ...tried.map((attempt) => `tried ${attempt}`),
    ...advice.map((line) => `to do: ${line}`),
  ];
  report.warn(NAME, lines.join('\n'));
  const reasons = failures.map(([source, why]) => `${source}: ${why}`);
  return { unavailable: true, circumstances: circumstancesOf(settings), reasons };
}

/** What might let another attempt succeed. */
function circumstancesOf({ env, libtensorflow }) {
  const variables = Object.entries(env)
    .filter(([name]) => /^(GATELM_CACHE_DIR$|PIP_|TFJS_NODE_|CDN_STORAGE$|https?_proxy$)/i.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  return hashOf(libtensorflow.join(), ...variables, findPython(env) ?? '', ...missingBuildTools(env));
}

function requireSpace(folder, needed) {
  if (!existsSync(folder)) return requireSpace(dirname(folder), needed);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < needed)
    throw new Error(`${folder} has ${megabytes(bavail * bsize)} left, ${megabytes(needed)} are needed`);
}

function wheelKey({ requirement, sha256 }) {
  return `libtensorflow/${requirement.replace('==', '-')}-${sha256.slice(0, 16)}`;
}

/** Where tfjs-node lies and looks for its library and binding, and the keys of these in the cache. */
function layoutOf({ packageDir }) {
  const dir = packageDir('@tensorflow/tfjs-node');
  const { version = '', binary } = readJson(join(dir, 'package.json')) ?? {};
  // As node-pre-gyp chooses: the highest version that both the package and this Node know.
  const known = (binary?.napi_versions ?? [8]).filter((napi) => napi <= Number(process.versions.napi));
  const napi = Math.max(...known);
  const target = `${process.platform}-${process.arch}`;
  return {
    dir,
    version,
    deps: join(dir, 'deps'),
    binding: join(dir, 'lib', `napi-v${napi}`, 'tfjs_binding.node'),
    installerKey: `libtensorflow/tfjs-node-${version}-${target}`,
    bindingKey: (libraryKey) =>
      `binaries/tfjs_binding-${version}-${basename(libraryKey)}-napi${napi}-${target}`,
  };
}
