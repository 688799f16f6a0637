/**
 * Copies of libtensorflow outside of node_modules, so that no checkout and no `npm ci` needs the download again. A copy
 * is a folder with lib/ and include/ and a manifest of each file's SHA-256; it appears by a rename, whole or not at all.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { copyFile, link, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileBytes } from './report.mjs';
import { filesBelow, readJson, writeFileAtomically } from './stamps.mjs';

const MANIFEST = 'manifest.json';

/**
 * @typedef {object} Manifest
 * @property {{ path: string, bytes: number, sha256: string }[]} files
 * @property {{ path: string, target: string }[]} links
 */

/** The folder of all copies. */
export function copiesDir(cacheDir) {
  return join(cacheDir, 'libtensorflow');
}

/** The folder of a copy, or undefined where there is none. */
export function findCopy(cacheDir, key) {
  const folder = join(copiesDir(cacheDir), key);
  return existsSync(join(folder, MANIFEST)) ? folder : undefined;
}

/** An empty folder beside the copies, to be filled and then sealed; what interrupted runs left of such is removed. */
export async function startCopy(cacheDir, key) {
  const folder = copiesDir(cacheDir);
  await mkdir(folder, { recursive: true });
  await removePartials(folder);
  const partial = join(folder, `${key}.partial-${process.pid}`);
  await mkdir(partial);
  return partial;
}

/** Writes the manifest and gives the copy its name. @returns {Promise<string>} its folder */
export async function sealCopy(partial, cacheDir, key) {
  const manifest = { files: [], links: [] };
  for (const path of filesBelow(partial, () => true)) {
    const name = relative(partial, path);
    const target = linkTarget(path);
    if (target !== undefined) manifest.links.push({ path: name, target });
    else manifest.files.push({ path: name, bytes: fileBytes(path), sha256: await sha256OfFile(path) });
  }
  writeFileAtomically(join(partial, MANIFEST), `${JSON.stringify(manifest)}\n`);
  const folder = join(copiesDir(cacheDir), key);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return folder;
}

/**
 * Puts a copy where tfjs-node looks for it, in place of what is there: hard links, or copies across file systems.
 * @returns {Promise<{ bytes: number, linked: boolean }>}
 * @throws Error where a file differs from the manifest; the copy is removed then
 */
export async function placeCopy(folder, deps) {
  /** @type {Manifest} */
  const manifest = readJson(join(folder, MANIFEST)) ?? { files: [], links: [] };
  await verify(folder, manifest);
  await removePartials(dirname(deps));
  const beside = `${deps}.partial-${process.pid}`;
  let linked = true;
  try {
    for (const { path } of manifest.files) {
      await mkdir(dirname(join(beside, path)), { recursive: true });
      linked = (await linkOrCopy(join(folder, path), join(beside, path))) && linked;
    }
    for (const { path, target } of manifest.links) await symlink(target, join(beside, path));
    await rm(deps, { recursive: true, force: true });
    await rename(beside, deps);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  return { bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0), linked };
}

/** What an interrupted run has left; who calls this holds the lock of the folder. */
async function removePartials(folder) {
  for (const name of readdirSync(folder)) {
    if (name.includes('.partial-')) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function verify(folder, { files }) {
  if (files.length === 0) throw new Error('the cached copy has no readable manifest');
  for (const { path, bytes, sha256 } of files) {
    const file = join(folder, path);
    if (fileBytes(file) === bytes && (await sha256OfFile(file)) === sha256) continue;
    await rm(folder, { recursive: true, force: true });
    throw new Error(`the cached copy of ${path} was damaged (its SHA-256 differs); it was removed`);
  }
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

function linkTarget(path) {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error.code === 'EINVAL' || error.code === 'UNKNOWN') return undefined; // not a link
    throw error;
  }
}

/** The SHA-256 of a file, in hexadecimal digits; read in pieces. */
export async function sha256OfFile(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
