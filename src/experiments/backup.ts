import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ArtifactKey } from '../contracts/artifacts.js';
import { BackupManifest } from '../contracts/backup.js';
import { appError } from '../errors.js';
import { copyArtifact } from '../files/artifact-store.js';
import { copySnapshot, LATEST } from '../files/copy-snapshot.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { CORPORA, DATABASE_FILE, EXPERIMENTS, experimentKey } from '../files/layout.js';
import { openStore } from '../store/store.js';

export interface BackupSummary {
  readonly files: number;
  readonly bytes: number;
}

const MANIFEST = 'backup.json';
/** Folders of a data folder that are backed up. */
const KEPT_FOLDERS = [EXPERIMENTS, CORPORA];

/**
 * Copies a data folder, even while a server is using it. Files are copied before the database, so that the copy is as if the
 * server had stopped in between: running trainings resume from the copied checkpoint, with the same resulting weights.
 * @param target an empty or missing folder
 * @throws config-conflict, database-newer, database-unusable, out-of-disk, write-failed
 */
export async function backUp(dataDirectory: string, target: string): Promise<BackupSummary> {
  const source = resolve(dataDirectory);
  const database = join(source, DATABASE_FILE);
  if (!existsSync(database))
    throw appError('config-conflict', { field: 'dataDir', reason: `${source} holds no ${DATABASE_FILE}` });
  await assertEmpty(target, 'the backup');
  const copy = new FolderCopy(source, target);
  for (const folder of KEPT_FOLDERS) await copy.take(folder);
  const store = openStore(database);
  try {
    await store.backup(join(target, DATABASE_FILE));
  } finally {
    store.close();
  }
  await copyEnded(copy, target);
  return summarize(await copy.finish());
}

/**
 * Restores a backup into a new data folder, after verifying each file.
 * @param dataDirectory an empty or missing folder
 * @throws config-conflict, checkpoint-corrupt for a file that has changed, database-newer, out-of-disk, write-failed
 */
export async function restore(backup: string, dataDirectory: string): Promise<BackupSummary> {
  const manifest = await readManifest(backup);
  for (const file of manifest.files) await verify(backup, file);
  await assertEmpty(dataDirectory, 'the data');
  const [from, to] = [new FolderArtifactStore(backup), new FolderArtifactStore(dataDirectory)];
  for (const { path } of manifest.files) await copyArtifact(from, path, to);
  try {
    openStore(join(dataDirectory, DATABASE_FILE)).close();
  } catch (error) {
    await rm(dataDirectory, { recursive: true, force: true });
    throw error;
  }
  return summarize(manifest);
}

/** Copies experiments again that ended between their copy and that of the database: their files are final now. */
async function copyEnded(copy: FolderCopy, target: string): Promise<void> {
  const store = openStore(join(target, DATABASE_FILE));
  try {
    for (const { id } of store.experiments.withState('succeeded', 'failed', 'cancelled', 'paused'))
      await copy.take(experimentKey(id));
  } finally {
    store.close();
  }
}

/** Copies parts of a data folder and records what was copied. */
class FolderCopy {
  readonly #from: FolderArtifactStore;
  readonly #to: FolderArtifactStore;

  constructor(source: string, target: string) {
    this.#from = new FolderArtifactStore(source);
    this.#to = new FolderArtifactStore(target);
  }

  /** Copies everything below a key, replacing an earlier copy. Files that are removed in the meantime are skipped. */
  async take(key: string): Promise<void> {
    await this.#to.delete(key);
    for (const path of await this.#from.list(key)) {
      if (path.endsWith(`/${LATEST}`))
        await copySnapshot({ from: this.#from, key: path.slice(0, -LATEST.length - 1), to: this.#to });
      else await copyArtifact(this.#from, path, this.#to);
    }
  }

  /** Writes the manifest. */
  async finish(): Promise<BackupManifest> {
    const files: BackupManifest['files'] = [];
    for (const folder of KEPT_FOLDERS)
      for (const path of await this.#to.list(folder)) files.push({ path, ...(await this.#to.stat(path))! });
    files.push({ path: DATABASE_FILE, ...(await this.#to.stat(DATABASE_FILE))! });
    const manifest: BackupManifest = { version: 1, createdAt: new Date().toISOString(), files };
    await this.#to.put(MANIFEST, Buffer.from(JSON.stringify(manifest, null, 2)));
    return manifest;
  }
}

async function readManifest(backup: string): Promise<BackupManifest> {
  try {
    return BackupManifest.parse(JSON.parse(await readFile(join(backup, MANIFEST), 'utf8')));
  } catch (error) {
    const reason = `${backup} is not a complete backup: ${(error as Error).message.slice(0, 300)}`;
    throw appError('config-conflict', { field: 'backup', reason }, error);
  }
}

async function verify(
  backup: string,
  { path, bytes, sha256 }: BackupManifest['files'][number],
): Promise<void> {
  if (!ArtifactKey.safeParse(path).success)
    throw appError('config-conflict', { field: 'backup', reason: `${path} is outside of the backup` });
  const actual = await new FolderArtifactStore(backup).stat(path).catch((error: Error) => {
    throw appError('checkpoint-corrupt', { file: path, reason: error.message }, error);
  });
  if (!actual) throw appError('checkpoint-corrupt', { file: path, reason: 'it is missing' });
  if (actual.bytes === bytes && actual.sha256 === sha256) return;
  const reason = `it has ${actual.bytes} bytes and SHA-256 ${actual.sha256}, expected ${bytes} and ${sha256}`;
  throw appError('checkpoint-corrupt', { file: path, reason });
}

async function assertEmpty(folder: string, what: string): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  if (entries.length === 0) return;
  throw appError('config-conflict', {
    field: 'folder',
    reason: `${folder} is not empty; ${what} needs a folder of its own`,
  });
}

function summarize({ files }: BackupManifest): BackupSummary {
  return { files: files.length, bytes: files.reduce((total, { bytes }) => total + bytes, 0) };
}
