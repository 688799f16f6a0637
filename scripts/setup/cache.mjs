/**
 * Native modules, and what was downloaded or built for them: kept outside of node_modules for the next checkout.
 * An entry is a folder with files and their checksums; it appears by a rename, whole or not at all.
 */
import { existsSync } from 'node:fs';
import { cp, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bytesOf, filesBelow } from './files.mjs';
import { withLock } from './lock.mjs';
import { reasonOf, say } from './output.mjs';
import { checksumsOf, verifyChecksums } from './verify.mjs';

/**
 * Gets a native module in the first way after which it loads: as it is, from the cache, or in one of `ways`; then it is
 * kept in the cache. A second checkout waits for the first and finds it there.
 * @param {object} module
 * @param {string} module.step
 * @param {string} module.dir its package
 * @param {string[]} module.paths what is kept of that: the file that is loaded comes last
 * @param {() => Promise<string>} module.probe loads it and gives its name and version
 * @param {string[]} module.keys of its entries in the cache, the best first
 * @param {{ name: string, what: string, key: string, make: () => Promise<void> }[]} module.ways with the new entry's key
 * @returns {Promise<{ done: string, version: string, source: string }>}
 * @throws Error with what was `tried`, and the last way's `output` and `logFile`
 */
export function provide(settings, module) {
  const lock = join(settings.cacheDir, `${module.step}.lock`);
  return withLock(lock, say, () => tryWays(settings, module));
}

async function tryWays(settings, { step, dir, paths, probe, keys, ways }) {
  const { cacheDir } = settings;
  const cached = keys.find((key) => existsSync(join(cacheDir, key)));
  const all = [...ways];
  if (cached) all.unshift({ name: 'cache', make: () => restore(settings, cached, dir, paths) });
  if (paths.every((path) => existsSync(join(dir, path))))
    all.unshift({ name: 'found', make: () => 'there already' });
  const tried = keys.length > 0 && !cached ? [`cache: no copy in ${cacheDir}`] : [];
  let last;
  for (const { name, what, key, make } of all) {
    try {
      if (key) {
        say(`→ ${step}: ${what}`);
        await removeAll(dir, paths);
      }
      const how = (await make()) ?? `from ${name}`;
      const version = await probe();
      if (key) await keep(settings, key, dir, paths);
      return { done: `${how}, loads (${version})`, version: version.split(' ')[1], source: name };
    } catch (error) {
      say(`! ${step}: no: ${reasonOf(error)}`);
      if (key) await removeAll(dir, paths);
      tried.push(`${name}: ${reasonOf(error)}${error.logFile ? ` (log: ${error.logFile})` : ''}`);
      last = error;
    }
  }
  throw Object.assign(new Error(tried.join('; ')), { ...last, tried });
}

/**
 * Puts an entry's files in place of what is there: hard links, or copies across file systems.
 * @returns {Promise<string>} what was done, in words
 * @throws Error where a file is damaged; the entry is removed then
 */
export async function restore({ cacheDir }, key, dir, paths) {
  const entry = join(cacheDir, key);
  const files = join(entry, 'files');
  try {
    await verifyChecksums(files, join(entry, 'SHA256SUMS'));
  } catch (error) {
    await remove(entry);
    throw new Error(`${reasonOf(error)}; it was removed`);
  }
  await removeAll(dir, paths);
  let linked = true;
  for (const path of paths) linked = (await linkFiles(join(files, path), join(dir, path))) && linked;
  const size = `${(bytesOf(files) / 1e6).toFixed(0)} MB`;
  return `copied from ${cacheDir} (${size}, SHA-256 as noted, ${linked ? 'hard links' : 'copies'})`;
}

/** Keeps files or folders of `dir`. Where it cannot (a full disk, say) the next checkout has more to do: no failure. */
export async function keep({ cacheDir }, key, dir, paths) {
  const entry = join(cacheDir, key);
  const partial = `${entry}.partial`;
  try {
    await remove(partial); // an interrupted set-up's
    for (const path of paths) await linkFiles(join(dir, path), join(partial, 'files', path));
    await writeFile(join(partial, 'SHA256SUMS'), await checksumsOf(join(partial, 'files')));
    await remove(entry);
    await rename(partial, entry);
  } catch (error) {
    await remove(partial);
    say(`! cache: ${key} could not be kept: ${reasonOf(error)}`);
  }
}

/** Links a file, or all below a folder. @returns whether none had to be copied */
async function linkFiles(from, to) {
  let linked = true;
  for (const file of filesBelow(from)) {
    const target = join(to, relative(from, file));
    await mkdir(dirname(target), { recursive: true });
    await link(file, target).catch(async () => {
      await cp(file, target, { verbatimSymlinks: true });
      linked = false;
    });
  }
  return linked;
}

/** The file that is loaded goes first, as it comes last: it is there only beside all that it needs. */
async function removeAll(dir, paths) {
  for (const path of [...paths].reverse()) await remove(join(dir, path));
}

function remove(path) {
  return rm(path, { recursive: true, force: true });
}
