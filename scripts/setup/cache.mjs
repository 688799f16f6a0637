/**
 * What was downloaded or built once, kept outside of node_modules for the next checkout. An entry is a folder with a
 * manifest of each file's SHA-256; it appears by a rename, whole or not at all.
 */
import { existsSync } from 'node:fs';
import { copyFile, cp, link, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { firstThatWorks, reasonOf } from './failure.mjs';
import { withLock } from './lock.mjs';
import { bytesOf, megabytes } from './report.mjs';
import { verifyManifest, writeManifest } from './verify.mjs';

/** Whether there is such an entry. @param {string} key such as `binaries/better-sqlite3-…` */
export function isCached({ settings }, key) {
  return existsSync(join(settings.cacheDir, key, 'manifest.json'));
}

/**
 * The entry's folder, filled by `fill` where there is no such entry yet. A second checkout waits for the first and then
 * finds it.
 * @param {(folder: string) => Promise<void>} fill writes the files into an empty folder
 */
export async function obtain(context, key, fill) {
  return withEntry(context, key, async (folder) => {
    if (isCached(context, key)) return folder;
    return replaceFolder(folder, async (partial) => {
      await fill(partial);
      await writeManifest(partial);
    });
  });
}

/**
 * Puts an entry's files at `to`, in place of what is there: hard links, or copies across file systems.
 * @returns {Promise<{ bytes: number, linked: boolean }>}
 * @throws Error where a file differs from the manifest; the entry is removed then
 */
export async function place(context, key, to) {
  return withEntry(context, key, async (folder) => {
    const { files, links } = await verifyManifest(folder).catch(async (error) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    });
    let linked = true;
    await replaceFolder(to, async (partial) => {
      for (const { path } of files) {
        await mkdir(dirname(join(partial, path)), { recursive: true });
        linked = (await linkOrCopy(join(folder, path), join(partial, path))) && linked;
      }
      for (const { path, target } of links) await symlink(target, join(partial, path));
    });
    return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), linked };
  });
}

/** Keeps files or folders of `from`. Where it cannot (a full disk, say) the next checkout has more to do: no failure. */
export async function keep(context, key, from, names) {
  try {
    await obtain(context, key, async (folder) => {
      for (const name of names)
        await cp(join(from, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
    });
  } catch (error) {
    context.report.line(`! cache: ${key} could not be kept: ${reasonOf(error)}`);
  }
}

/**
 * A native module: the cached one where it loads, else the first that can be made and loads, kept for the next checkout.
 * @param {{ step: string, key: string, file: string, probe: () => Promise<string>, ways: [string, () => Promise<void>][] }} module
 * its key in the cache, where it belongs, what loads it and gives its version, and how to make it
 * @returns {Promise<string>} the version
 * @throws AttemptsError
 */
export async function provide(context, { step, key, file, probe, ways }) {
  const { settings, report } = context;
  if (isCached(context, key)) {
    try {
      await place(context, key, dirname(file));
      const version = await probe();
      report.line(`✓ ${step}: copied from ${settings.cacheDir}, loads (${version})`);
      return version;
    } catch (error) {
      report.line(`! cache: the cached ${key} is of no use here: ${reasonOf(error)}`);
      await rm(join(settings.cacheDir, key), { recursive: true, force: true });
    }
  }
  async function attempt([what, make]) {
    let version;
    await report.task(step, what, async () => {
      await make();
      version = await probe();
      return `${megabytes(bytesOf(file))}, loads (${version})`;
    });
    return version;
  }
  const version = await firstThatWorks(ways.map((way) => [way[0], () => attempt(way)]));
  await keep(context, key, dirname(file), [basename(file)]);
  return version;
}

/** One process at a time reads or writes the entries of a kind. */
function withEntry({ settings, report }, key, body) {
  const folder = join(settings.cacheDir, key);
  const onWait = (holder) => report.line(`cache: waiting for ${holder}`);
  return withLock(join(dirname(folder), 'lock'), onWait, () => body(folder));
}

/** Fills a folder beside, then renames it; removes what interrupted runs have left there. */
async function replaceFolder(folder, fill) {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  const left = (await readdir(parent)).filter((name) => name.includes('.partial-'));
  for (const name of left) await rm(join(parent, name), { recursive: true, force: true });
  const partial = `${folder}.partial-${process.pid}`;
  try {
    await mkdir(partial);
    await fill(partial);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
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
