/** SHA-256 of what was downloaded, and of what was kept in the cache. */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesBelow } from './files.mjs';

/** @throws Error where the file is not the pinned one; it is removed */
export async function verifyDownload(file, name, sha256) {
  const found = await sha256Of(file);
  if (found === sha256) return;
  rmSync(file);
  throw new Error(`the download is not the pinned ${name}: expected SHA-256 ${sha256}, got ${found}`);
}

/** A line for each file of a folder, as `sha256sum` prints it; links are left out. */
export async function checksumsOf(folder) {
  const lines = [];
  for (const file of filesBelow(folder)) {
    if (lstatSync(file).isFile()) lines.push(`${await sha256Of(file)}  ${relative(folder, file)}`);
  }
  return lines.join('\n');
}

/** @throws Error where a file of the folder is not as it was written down */
export async function verifyChecksums(folder, checksumsFile) {
  for (const line of readFileSync(checksumsFile, 'utf8').split('\n')) {
    const [sha256, path] = line.split('  ');
    const found = await sha256Of(join(folder, path)).catch(() => undefined);
    if (found !== sha256) throw new Error(`the cached copy of ${path} was damaged (its SHA-256 differs)`);
  }
}

/** In hexadecimal digits; the file is read in pieces. */
async function sha256Of(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
