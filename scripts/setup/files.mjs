/** Files below a folder, hashes of them, and the stamps: what each step did last, and from which inputs. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** `npm ci` removes it, with all that most steps have done. */
const STAMPS_FILE = join('node_modules', '.gatelm', 'stamps.json');

/** The stamps of a checkout, by the step's name: `{ key, … }`, or `{ key, reasons }` of one that gave up. */
export function readStamps(root) {
  return readJson(join(root, STAMPS_FILE)) ?? {};
}

/** Replaces a step's stamp; `undefined` removes it. */
export function writeStamp(root, name, stamp) {
  const stamps = { ...readStamps(root), [name]: stamp };
  mkdirSync(dirname(join(root, STAMPS_FILE)), { recursive: true });
  writeFileSync(join(root, STAMPS_FILE), `${JSON.stringify(stamps, null, 2)}\n`);
}

/** A hash of text parts; their borders count. */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** A hash over the names and contents of files, independent of their order and of where the checkout lies. */
export function hashFiles(root, files) {
  return hashOf(...[...files].sort().flatMap((file) => [relative(root, file), readFileSync(file)]));
}

/** Files at or below a path that are accepted, names in `skip` left out; [] where there is nothing. */
export function filesBelow(path, accept = () => true, skip = []) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found && accept(path) ? [path] : [];
  const names = readdirSync(path).filter((name) => !skip.includes(name));
  return names.flatMap((name) => filesBelow(join(path, name), accept, skip));
}

/** Bytes of all files below a folder; 0 where there is none. */
export function bytesOf(folder) {
  const sizes = filesBelow(folder).map((file) => lstatSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The JSON in a file, or undefined where it is missing or broken: then the step runs again. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
