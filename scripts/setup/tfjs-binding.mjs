/** tfjs-node's binding to libtensorflow: from the cache, else built by its own build file. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { binaryName, dropBinary, keepBinary, restoreBinary } from './binary-cache.mjs';
import { runCommand } from './command.mjs';
import { reasonOf } from './failure.mjs';
import { checkLoads, LOAD_TFJS_NODE } from './load-check.mjs';
import { fileBytes, megabytes } from './report.mjs';
import { readJson } from './stamps.mjs';
import { buildEnvironment, missingBuildTools } from './toolchain.mjs';

const LOAD = `${LOAD_TFJS_NODE}
  if (tf.tensor1d([1, 2]).sum().dataSync()[0] !== 3) throw new Error('1 + 2 is not 3');
  process.stdout.write(String(tf.backend().binding.TF_Version));`;

/** Loads tfjs-node and adds two numbers. @returns {Promise<string>} TensorFlow's version */
export function checkTensorflow(settings) {
  return checkLoads(LOAD, settings.root);
}

/**
 * Makes the binding to the library in deps/.
 * @param {string} libraryKey which library, for the cached binding's name
 * @returns {Promise<string>} TensorFlow's version, seen to load
 */
export async function makeBinding(settings, report, libraryKey) {
  const name = cachedName(settings, libraryKey);
  if (restoreBinary(settings.cacheDir, name, bindingFile(settings))) {
    try {
      return await checkTensorflow(settings);
    } catch (error) {
      report.warn('tensorflow', `the cached binding is of no use here: ${reasonOf(error)}`);
      dropBinary(settings.cacheDir, name);
    }
  }
  const task = report.begin('tensorflow', 'building tfjs-node’s binding, about 10 s');
  try {
    await buildBinding(settings);
    const version = await checkTensorflow(settings);
    task.done(`${megabytes(fileBytes(bindingFile(settings)))}, loads`);
    keepBinding(settings, report, libraryKey);
    return version;
  } catch (error) {
    task.gaveUp(`no: ${reasonOf(error)}`);
    throw error;
  }
}

/** Keeps the binding in use, which has been seen to load, for the next checkout. */
export function keepBinding(settings, report, libraryKey) {
  keepBinary(settings.cacheDir, cachedName(settings, libraryKey), bindingFile(settings), report);
}

/** Why the binding could not be made, before anything large is downloaded; undefined where it can. */
export function bindingObstacle(settings, libraryKey) {
  if (bindingIsCached(settings, libraryKey)) return undefined;
  const missing = missingBuildTools(settings.env);
  return missing.length > 0
    ? `${missing.join(', ')} not found, needed to build tfjs-node’s binding to it`
    : undefined;
}

function bindingIsCached(settings, libraryKey) {
  return restoreBinary(settings.cacheDir, cachedName(settings, libraryKey), bindingFile(settings));
}

async function buildBinding(settings) {
  const missing = missingBuildTools(settings.env);
  if (missing.length > 0)
    throw new Error(`${missing.join(', ')} not found, needed to build tfjs-node’s binding`);
  for (const folder of ['build', `build-tmp-napi-v${napiVersion(settings)}`]) {
    rmSync(join(settings.tfjsDir, folder), { recursive: true, force: true }); // an interrupted build's
  }
  await runCommand({
    name: 'tfjs-node-build',
    program: process.execPath,
    args: [
      join(settings.modules, '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp'),
      'install',
      '--build-from-source',
    ],
    logsDir: settings.logsDir,
    cwd: settings.tfjsDir,
    env: buildEnvironment(settings),
  });
}

/** Where tfjs-node looks for its binding. */
export function bindingFile(settings) {
  return join(settings.tfjsDir, 'lib', `napi-v${napiVersion(settings)}`, 'tfjs_binding.node');
}

/** As node-pre-gyp chooses: the highest version that both the package and this Node know. */
function napiVersion(settings) {
  const known = readJson(join(settings.tfjsDir, 'package.json'))?.binary?.napi_versions ?? [8];
  return Math.max(...known.filter((version) => version <= Number(process.versions.napi)));
}

function cachedName(settings, libraryKey) {
  const version = readJson(join(settings.tfjsDir, 'package.json'))?.version;
  return binaryName('tfjs_binding', `${version}-${libraryKey}`, `napi${napiVersion(settings)}`);
}
