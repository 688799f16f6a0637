/**
 * Binaries that were built or downloaded once, kept for the next checkout. The name of a file carries its SHA-256, so a
 * damaged one is never used; whether it suits this machine is found out by loading it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf } from './failure.mjs';
import { writeFileAtomically } from './stamps.mjs';

const HASH_DIGITS = 32;

/** A binary's name in the cache: what it is, its version, and what it was built for. */
export function binaryName(what, version, abi) {
  return `${what}-${version}-${abi}-${process.platform}-${process.arch}`;
}

/** Puts the cached binary at `to`. @returns {boolean} whether there was one */
export function restoreBinary(cacheDir, name, to) {
  for (const file of cachedFiles(cacheDir, name)) {
    const content = readFileSync(file);
    if (!file.endsWith(`.${digest(content)}.node`)) {
      rmSync(file, { force: true });
      continue;
    }
    mkdirSync(dirname(to), { recursive: true });
    writeFileAtomically(to, content);
    return true;
  }
  return false;
}

/**
 * Keeps a binary that has been seen to load, in place of an older one of that name. Where it cannot (a full disk, say)
 * only the next checkout has more to do, so that is said and no failure.
 */
export function keepBinary(cacheDir, name, from, report) {
  try {
    const content = readFileSync(from);
    const file = join(binariesDir(cacheDir), `${name}.${digest(content)}.node`);
    for (const old of cachedFiles(cacheDir, name)) if (old !== file) rmSync(old, { force: true });
    writeFileAtomically(file, content);
  } catch (error) {
    report.warn('cache', `${name} could not be kept: ${reasonOf(error)}`);
  }
}

/** Takes a binary that does not load here out of the cache. */
export function dropBinary(cacheDir, name) {
  for (const file of cachedFiles(cacheDir, name)) rmSync(file, { force: true });
}

function binariesDir(cacheDir) {
  return join(cacheDir, 'binaries');
}

function cachedFiles(cacheDir, name) {
  const folder = binariesDir(cacheDir);
  try {
    return readdirSync(folder)
      .filter((file) => file.startsWith(`${name}.`) && file.endsWith('.node'))
      .map((file) => join(folder, file));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, HASH_DIGITS);
}
