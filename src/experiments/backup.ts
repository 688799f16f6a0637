import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { BackupManifest } from '../contracts/backup.js';
import { appError } from '../errors.js';
import { openStore } from '../store/store.js';
import { DATABASE_FILE } from './services.js';

export interface BackupSummary {
  readonly files: number;
  readonly bytes: number;
}

const MANIFEST = 'backup.json';
/** Folders of a data folder that hold what must not be lost. */
const KEPT_FOLDERS = ['experiments', 'corpora'];
/** Files that somebody writes just now, and will rename. */
const UNFINISHED = /\.tmp$|^\./;

/**
 * Copies a data folder, also while a server uses it. The files come first and the database after them, so that it is as if the
 * server had ended in between: what trains goes on from the checkpoint that was copied, to the same weights.
 * @param target an empty folder, or one that there is not yet
 * @throws config-conflict, database-newer, database-unusable, out-of-disk, write-failed
 */
export async function backUp(dataDirectory: string, target: string): Promise<BackupSummary> {
  const source = resolve(dataDirectory);
  const database = join(source, DATABASE_FILE);
  if (!existsSync(database))
    throw appError('config-conflict', { field: 'dataDir', reason: `${source} holds no ${DATABASE_FILE}` });
  await assertEmpty(target, 'the backup');
  return describingErrors(target, async () => {
    await mkdir(target, { recursive: true });
    for (const folder of KEPT_FOLDERS) await copyFolder(join(source, folder), join(target, folder));
    const store = openStore(database);
    try {
      await store.backup(join(target, DATABASE_FILE));
    } finally {
      store.close();
    }
    await copyEnded(source, target);
    const manifest = await describe(target);
    await writeFile(join(target, MANIFEST), JSON.stringify(manifest, null, 2), { flush: true });
    return summarize(manifest);
  });
}

/**
 * Makes a data folder of a backup, after each of its files was checked.
 * @param dataDirectory an empty folder, or one that there is not yet
 * @throws config-conflict, checkpoint-corrupt for a file that is not what it was, database-newer, out-of-disk, write-failed
 */
export async function restore(backup: string, dataDirectory: string): Promise<BackupSummary> {
  const manifest = await readManifest(backup);
  for (const file of manifest.files) await verify(backup, file);
  await assertEmpty(dataDirectory, 'the data');
  return describingErrors(dataDirectory, async () => {
    for (const { path } of manifest.files) await copyOne(join(backup, path), join(dataDirectory, path));
    try {
      openStore(join(dataDirectory, DATABASE_FILE)).close();
    } catch (error) {
      await rm(dataDirectory, { recursive: true, force: true });
      throw error;
    }
    return summarize(manifest);
  });
}

/** What ended between its copy and that of the database: its files are final now. */
async function copyEnded(source: string, target: string): Promise<void> {
  const store = openStore(join(target, DATABASE_FILE));
  try {
    for (const { id } of store.experiments.withState('succeeded', 'failed', 'cancelled', 'paused')) {
      const folder = join('experiments', id);
      await rm(join(target, folder), { recursive: true, force: true });
      await copyFolder(join(source, folder), join(target, folder));
    }
  } finally {
    store.close();
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  for (const path of await filesBelow(from)) await copyOne(join(from, path), join(to, path));
}

/** A file that is replaced meanwhile is copied as it was or as it is; one that is removed is left out. */
async function copyOne(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await copyFile(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(from)) return;
    throw error;
  }
  const copy = await open(to, 'r+');
  await copy.sync().finally(() => copy.close());
}

/** Paths of all files below a folder, relative to it, sorted. */
async function filesBelow(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).some((name) => UNFINISHED.test(name)))
    .sort();
}

async function describe(folder: string): Promise<BackupManifest> {
  const files: BackupManifest['files'] = [];
  for (const path of await filesBelow(folder)) files.push({ path, ...(await digestOf(join(folder, path))) });
  return { version: 1, createdAt: new Date().toISOString(), files };
}

async function readManifest(backup: string): Promise<BackupManifest> {
  try {
    return BackupManifest.parse(JSON.parse(await readFile(join(backup, MANIFEST), 'utf8')));
  } catch (error) {
    const reason = `${backup} is no whole backup: ${(error as Error).message.slice(0, 300)}`;
    throw appError('config-conflict', { field: 'backup', reason }, error);
  }
}

async function verify(
  backup: string,
  { path, bytes, sha256 }: BackupManifest['files'][number],
): Promise<void> {
  const file = resolve(backup, path);
  if (!file.startsWith(resolve(backup) + sep))
    throw appError('config-conflict', { field: 'backup', reason: `${path} lies outside of it` });
  const actual = await digestOf(file).catch((error: Error) => {
    throw appError('checkpoint-corrupt', { file: path, reason: error.message }, error);
  });
  if (actual.bytes === bytes && actual.sha256 === sha256) return;
  const reason = `it has ${actual.bytes} bytes and SHA-256 ${actual.sha256}, expected ${bytes} and ${sha256}`;
  throw appError('checkpoint-corrupt', { file: path, reason });
}

async function digestOf(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function assertEmpty(folder: string, what: string): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  if (entries.length === 0) return;
  throw appError('config-conflict', {
    field: 'folder',
    reason: `${folder} is not empty; ${what} needs a folder of its own`,
  });
}

async function describingErrors<Result>(file: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw appError('out-of-disk', { file }, error);
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
      throw appError('write-failed', { file, reason: message }, error);
    throw error;
  }
}

function summarize({ files }: BackupManifest): BackupSummary {
  return { files: files.length, bytes: files.reduce((total, { bytes }) => total + bytes, 0) };
}
