/**
 * What was downloaded or built once, kept outside of node_modules for the next checkout. An entry is a folder with files and
 * their checksums; it appears by a rename, whole or not at all.
 */
import { cp, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bytesOf, filesBelow } from './files.mjs';
import { reasonOf, say } from './output.mjs';
import { checksumsOf, verifyChecksums } from './verify.mjs';

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
export async function removeAll(dir, paths) {
  for (const path of [...paths].reverse()) await remove(join(dir, path));
}

function remove(path) {
  return rm(path, { recursive: true, force: true });
}
