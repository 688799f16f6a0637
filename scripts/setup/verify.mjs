/** SHA-256 of what was downloaded, and of what was kept in the cache. */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bytesOf } from './report.mjs';
import { filesBelow, readJson, writeFileAtomically } from './stamps.mjs';

const MANIFEST = 'manifest.json';

/** @throws Error where the file is not the pinned wheel */
export async function verifyWheel(file, { requirement, sha256 }) {
  const found = await sha256Of(file);
  if (found === sha256) return;
  throw new Error(
    `the downloaded wheel is not the pinned ${requirement}: expected SHA-256 ${sha256}, got ${found}; it was not used`,
  );
}

/** Writes down size and SHA-256 of each file of a folder, and the target of each link. */
export async function writeManifest(folder) {
  const manifest = { files: [], links: [] };
  for (const file of filesBelow(folder)) {
    const path = relative(folder, file);
    if (lstatSync(file).isSymbolicLink()) manifest.links.push({ path, target: readlinkSync(file) });
    else manifest.files.push({ path, bytes: bytesOf(file), sha256: await sha256Of(file) });
  }
  writeFileAtomically(join(folder, MANIFEST), `${JSON.stringify(manifest)}\n`);
}

/**
 * What a folder of the cache holds.
 * @returns {Promise<{ files: { path: string, bytes: number, sha256: string }[], links: { path: string, target: string }[] }>}
 * @throws Error where a file is not as it was written down
 */
export async function verifyManifest(folder) {
  const manifest = readJson(join(folder, MANIFEST));
  if (!manifest?.files?.length) throw new Error('the cached copy has no readable manifest');
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(folder, path);
    if (bytesOf(file) === bytes && (await sha256Of(file)) === sha256) continue;
    throw new Error(`the cached copy of ${path} was damaged (its SHA-256 differs); it was removed`);
  }
  return manifest;
}

/** In hexadecimal digits; the file is read in pieces. */
async function sha256Of(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
