/**
 * Steps that get the native part of a package, in the first way after which it loads: as it is, from the cache, or in one
 * of the step's own ways; then it is kept in the cache.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keep, removeAll, restore } from './cache.mjs';
import { readJson } from './files.mjs';
import { withLock } from './lock.mjs';
import { reasonOf, say } from './output.mjs';

/**
 * @typedef {object} NativeStep
 * @property {string} packageName
 * @property {string} abi what a binary depends on, beside the platform
 * @property {string[]} paths what the package lacks without it: the file that is loaded comes last
 * @property {(settings: object) => Promise<string>} probe loads it and gives its name and version
 * @property {(settings: object, dir: string) => Way[]} ways
 * @typedef {{ name: string, id?: string, what: string, make: () => Promise<void> }} Way with the `id` of its entry in
 * the cache
 */

/** Completes a step. @param {NativeStep} step @returns {import('./steps.mjs').Step} */
export function nativeStep(step) {
  const { name, packageName, abi, paths } = step;
  return {
    ...step,
    isNative: true,
    key({ packageDir }) {
      const { version } = readJson(join(packageDir(packageName), 'package.json')) ?? {};
      return `${name}-${version}-${abi}-${process.platform}-${process.arch}`;
    },
    isThere: ({ packageDir }) => paths.every((path) => existsSync(join(packageDir(packageName), path))),
    run(settings) {
      // A second checkout waits for the first and finds its entry.
      const lock = join(settings.cacheDir, `${name}.lock`);
      return withLock(lock, say, () => tryWays(settings, this));
    },
  };
}

/** @throws Error with what was `tried`, and the last way's `output` and `logFile` */
async function tryWays(settings, step) {
  const { cacheDir } = settings;
  const dir = settings.packageDir(step.packageName);
  const ways = step
    .ways(settings, dir)
    .map((way) => ({ ...way, key: `${step.key(settings)}-${way.id ?? way.name}` }));
  const tried = [];
  const cached = ways.find(({ key }) => existsSync(join(cacheDir, key)));
  if (cached) ways.unshift({ name: 'cache', make: () => restore(settings, cached.key, dir, step.paths) });
  else tried.push(`cache: no copy in ${cacheDir}`);
  if (step.isThere(settings)) ways.unshift({ name: 'found', make: () => 'there already' });
  let last;
  for (const { name, what, key, make } of ways) {
    try {
      if (key) {
        say(`→ ${step.name}: ${what}`);
        await removeAll(dir, step.paths);
      }
      const how = (await make()) ?? `from ${name}`;
      const version = await step.probe(settings);
      if (key) await keep(settings, key, dir, step.paths);
      return { done: `${how}, loads (${version})`, version: version.split(' ')[1], source: name };
    } catch (error) {
      say(`! ${step.name}: no: ${reasonOf(error)}`);
      if (key) await removeAll(dir, step.paths);
      tried.push(`${name}: ${reasonOf(error)}${error.logFile ? ` (log: ${error.logFile})` : ''}`);
      last = error;
    }
  }
  throw Object.assign(new Error(tried.join('; ')), { ...last, tried });
}
