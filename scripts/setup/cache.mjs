/**
 * What was downloaded or built once, kept outside of node_modules for the next checkout. An entry is a folder with a
 * manifest of each file's SHA-256; it appears by a rename, whole or not at all.
 */
import { existsSync } from 'node:fs';
import { copyFile, cp, link, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from './failure.mjs';
import { withLock } from './lock.mjs';
import { bytesOf, megabytes } from './report.mjs';
import { verifyManifest, writeManifest } from './verify.mjs';

/** @param {string} key such as `binaries/better-sqlite3-…` */
function entryDir({ settings }, key) {
  return join(settings.cacheDir, key);
}

/** Whether there is such an entry. */
export function isCached(context, key) {
  return existsSync(join(entryDir(context, key), 'manifest.json'));
}

/**
 * The entry's folder, filled by `fill` where there is no such entry yet. A second checkout waits for the first and then
 * finds it.
 * @param {(folder: string) => Promise<void>} fill writes the files into an empty folder
 */
export async function obtain(context, key, fill) {
  const folder = entryDir(context, key);
  await withCacheLock(context, key, async () => {
    if (isCached(context, key)) return;
    const partial = await partialBeside(folder);
    try {
      await mkdir(partial);
      await fill(partial);
      await writeManifest(partial);
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  });
  return folder;
}

/**
 * Puts an entry's files at `to`, in place of what is there: hard links, or copies across file systems.
 * @returns {Promise<{ bytes: number, linked: boolean }>}
 * @throws Error where a file differs from the manifest; the entry is removed then
 */
export async function place(context, key, to) {
  const folder = entryDir(context, key);
  return withCacheLock(context, key, async () => {
    const { files, links } = await verifyManifest(folder).catch(async (error) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    });
    const partial = await partialBeside(to);
    let linked = true;
    try {
      for (const { path } of files) {
        await mkdir(dirname(join(partial, path)), { recursive: true });
        linked = (await linkOrCopy(join(folder, path), join(partial, path))) && linked;
      }
      for (const { path, target } of links) await symlink(target, join(partial, path));
      await rm(to, { recursive: true, force: true });
      await rename(partial, to);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), linked };
  });
}

/** Keeps files or folders of `from`. Where it cannot (a full disk, say) the next checkout has more to do: no failure. */
export async function keep(context, key, from, names) {
  try {
    await obtain(context, key, async (folder) => {
      for (const name of names) {
        await cp(join(from, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
      }
    });
  } catch (error) {
    context.report.warn('cache', `${key} could not be kept: ${reasonOf(error)}`);
  }
}

/**
 * A native module: the cached one where it loads, else the first that can be made and loads, kept for the next checkout.
 * @param {object} module
 * @param {string} module.step
 * @param {string} module.key in the cache
 * @param {string} module.file where it belongs
 * @param {() => Promise<string>} module.probe loads it and gives the version that it names
 * @param {[what: string, make: () => Promise<void>][]} module.ways
 * @returns {Promise<string>} the version
 * @throws Error of the last way, with `tried`, a line for each
 */
export async function provide(context, { step, key, file, probe, ways }) {
  const { settings, report } = context;
  let version = await restore(context, key, dirname(file), probe);
  if (version) {
    report.line(`✓ ${step}: copied from ${settings.cacheDir}, loads (${version})`);
    return version;
  }
  const tried = [];
  for (const [what, make] of ways) {
    try {
      await report.task(step, what, async () => {
        await make();
        version = await probe();
        return `${megabytes(bytesOf(file))}, loads (${version})`;
      });
      await keep(context, key, dirname(file), [basename(file)]);
      return version;
    } catch (error) {
      tried.push(`${what}: ${reasonOf(error)}`);
      if (tried.length === ways.length) throw Object.assign(error, { tried });
    }
  }
}

/** One that does not load here is removed from the cache. */
async function restore(context, key, to, probe) {
  if (!isCached(context, key)) return undefined;
  try {
    await place(context, key, to);
    return await probe();
  } catch (error) {
    context.report.warn('cache', `the cached ${key} is of no use here: ${reasonOf(error)}`);
    await rm(entryDir(context, key), { recursive: true, force: true });
    return undefined;
  }
}

function withCacheLock(context, key, body) {
  const file = join(dirname(entryDir(context, key)), 'lock');
  return withLock(file, (holder) => context.report.line(`cache: waiting for ${holder}`), body);
}

/** A name for a folder that becomes `folder`; what interrupted runs left there is removed. */
async function partialBeside(folder) {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (name.includes('.partial-')) await rm(join(parent, name), { recursive: true, force: true });
  }
  return `${folder}.partial-${process.pid}`;
}

async function linkOrCopy(from, to) {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(error.code)) throw error;
    await copyFile(from, to);
    return false;
  }
}
