/** What each step did last, and from which inputs: a step whose inputs hash to its stamp's key has nothing to do. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Stamps in a folder, one JSON file a step: `{ key, … }`, and `unavailable: true` where the step did not succeed. */
export function createStamps(folder) {
  const fileOf = (name) => join(folder, `${name}.json`);
  const read = (name) => readJson(fileOf(name));
  const forget = (name) => rmSync(fileOf(name), { force: true });
  return {
    read,
    forget,
    write: (name, stamp) => writeFileAtomically(fileOf(name), `${JSON.stringify(stamp, null, 2)}\n`),
    /** Lets steps that gave up be tried again. */
    forgetFailures() {
      for (const file of filesBelow(folder)) if (readJson(file)?.unavailable) rmSync(file);
    },
  };
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

/** Files below a folder whose path is accepted, folders named in `skip` left out; [] where there is no folder. */
export function filesBelow(folder, accept = () => true, skip = []) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skip.includes(entry.name) ? [] : filesBelow(path, accept, skip);
    return accept(path) ? [path] : [];
  });
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

/** Writes beside, then renames: a reader sees the old file or the new one, never half of it. */
export function writeFileAtomically(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, content);
  renameSync(beside, file);
}
