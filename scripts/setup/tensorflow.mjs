/**
 * Step: libtensorflow and tfjs-node's binding to it. Where they cannot be had gatelm runs on TensorFlow.js's WebAssembly
 * backend, so this step fails only where GATELM_BACKEND=native asks for them.
 */
import { join } from 'node:path';
import { reasonOf, SetupError } from './failure.mjs';
import { copiesDir, findCopy, placeCopy } from './libtensorflow-cache.mjs';
import { copyFromWheel, WHEEL, wheelKey, wheelUnsuitable } from './libtensorflow-wheel.mjs';
import { withLock } from './lock.mjs';
import { fileBytes, megabytes } from './report.mjs';
import { hashOf, readJson } from './stamps.mjs';
import { bindingFile, bindingObstacle, checkTensorflow, keepBinding, makeBinding } from './tfjs-binding.mjs';
import { installerKey, keepInstalled, runTfjsInstaller } from './tfjs-installer.mjs';
import { buildToolsAdvice, findPython, missingBuildTools } from './toolchain.mjs';

const NAME = 'tensorflow';
const SOURCES = { cache: fromCache, wheel: fromWheel, installer: fromInstaller };

/** @type {import('./set-up.mjs').Step} */
export const tensorflowStep = { name: NAME, isDone, run };

function isDone({ settings, stamps }) {
  if (settings.backend === 'wasm') return true;
  const stamp = stamps.read(NAME);
  if (stamp?.key !== keyOf(settings)) return false;
  if (stamp.unavailable)
    return settings.backend === 'auto' && stamp.circumstances === circumstancesOf(settings);
  return fileBytes(bindingFile(settings)) > 0 && libraryIsThere(settings);
}

async function run(context) {
  const { settings, report, stamps } = context;
  const found = await inPlace(settings);
  if (found) {
    report.line(`✓ ${NAME}: TensorFlow ${found} is there already and loads`);
    stamps.write(NAME, { key: keyOf(settings), version: found, source: 'found' });
    return;
  }
  const tried = [];
  for (const source of settings.libtensorflow) {
    try {
      const version = await withCacheLock(context, () => SOURCES[source](context));
      stamps.write(NAME, { key: keyOf(settings), version, source });
      report.line(`✓ ${NAME}: TensorFlow ${version} loads`);
      return;
    } catch (error) {
      tried.push({ source, why: reasonOf(error), logFile: error.logFile });
    }
  }
  if (tried.length === 0) tried.push({ source: 'nowhere', why: 'GATELM_LIBTENSORFLOW=off' });
  giveUp(context, tried);
}

/** A library that somebody else has put there, tfjs-node's installer for one. */
async function inPlace(settings) {
  if (settings.libtensorflow.length === 0 || fileBytes(bindingFile(settings)) === 0) return undefined;
  return checkTensorflow(settings).catch(() => undefined);
}

/** Two checkouts share a cache: the second waits for the first's download and then finds it there. */
async function withCacheLock({ settings, report }, body) {
  const lockFile = join(copiesDir(settings.cacheDir), 'lock');
  return withLock(lockFile, (holder) => report.line(`${NAME}: waiting for ${holder}`), body);
}

async function fromCache({ settings, report }) {
  const keys = [...(wheelUnsuitable() ? [] : [wheelKey()]), installerKey(settings)];
  const key = keys.find((candidate) => findCopy(settings.cacheDir, candidate));
  if (!key) throw new Error(`no copy in ${settings.cacheDir}`);
  const obstacle = bindingObstacle(settings, key);
  if (obstacle) throw new Error(obstacle);
  return place({ settings, report }, key);
}

async function fromWheel({ settings, report }) {
  const obstacle = wheelUnsuitable() ?? bindingObstacle(settings, wheelKey());
  if (obstacle) throw new Error(obstacle);
  if (!findCopy(settings.cacheDir, wheelKey())) await copyFromWheel(settings, report);
  return place({ settings, report }, wheelKey());
}

async function place({ settings, report }, key) {
  const task = report.begin(NAME, `placing the copy of libtensorflow in ${settings.cacheDir}`);
  const { bytes, linked } = await placeCopy(findCopy(settings.cacheDir, key), depsDir(settings)).catch(
    (error) => {
      task.gaveUp(`no: ${reasonOf(error)}`);
      throw error;
    },
  );
  task.done(`${megabytes(bytes)}, SHA-256 as noted, ${linked ? 'hard links: no further space' : 'copied'}`);
  return makeBinding(settings, report, key);
}

async function fromInstaller({ settings, report }) {
  const why = wheelUnsuitable();
  if (why?.includes('musl')) throw new Error(why); // its library is built for glibc too
  await runTfjsInstaller(settings, report);
  const version = await checkTensorflow(settings);
  keepBinding(settings, report, installerKey(settings));
  await keepInstalled(settings).catch((error) => {
    report.warn('cache', `libtensorflow could not be kept: ${reasonOf(error)}`);
  });
  return version;
}

function giveUp({ settings, report, stamps }, tried) {
  const advice = [
    ...(missingBuildTools(settings.env).length > 0 || !findPython(settings.env) ? [buildToolsAdvice()] : []),
    `let pip reach an index that has ${WHEEL.requirement} (pip config set global.index-url …, PIP_FIND_LINKS), ` +
      'or let this machine reach the address of tfjs-node’s installer (TFJS_NODE_CDN_STORAGE names a mirror)',
    'then: npm run setup -- --retry',
  ];
  if (settings.backend === 'native') {
    throw new SetupError('GATELM_BACKEND=native, but libtensorflow could not be had', {
      tried: tried.map(describe),
      advice,
    });
  }
  stamps.write(NAME, {
    key: keyOf(settings),
    circumstances: circumstancesOf(settings),
    unavailable: true,
    reasons: tried.map(({ source, why }) => `${source}: ${why}`),
  });
  report.warn(
    NAME,
    [
      'libtensorflow could not be had: gatelm runs on its WebAssembly backend, several times slower',
      ...tried.map((attempt) => `tried ${describe(attempt)}`),
      ...advice.map((line) => `to do: ${line}`),
    ].join('\n'),
  );
}

function describe({ source, why, logFile }) {
  return `${source}: ${why}${logFile ? ` (log: ${logFile})` : ''}`;
}

function depsDir(settings) {
  return join(settings.tfjsDir, 'deps');
}

function libraryIsThere(settings) {
  const ending =
    { darwin: 'libtensorflow.dylib', win32: 'tensorflow.lib' }[process.platform] ?? 'libtensorflow.so';
  return fileBytes(join(depsDir(settings), 'lib', ending)) > 0;
}

/** What the binding depends on. */
function keyOf(settings) {
  const version = readJson(join(settings.tfjsDir, 'package.json'))?.version ?? '';
  return [version, process.platform, process.arch, `abi${process.versions.modules}`].join(' ');
}

/** What might let another attempt succeed. */
function circumstancesOf({ env, libtensorflow }) {
  const variables = Object.entries(env)
    .filter(([name]) => /^(GATELM_CACHE_DIR$|PIP_|TFJS_NODE_|CDN_STORAGE$|https?_proxy$)/i.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const tools = [findPython(env) ?? '', ...missingBuildTools(env)];
  return hashOf(libtensorflow.join(), ...variables, ...tools);
}
