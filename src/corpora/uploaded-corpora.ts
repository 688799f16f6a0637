/** Uploaded corpora on the disk: `<data>/corpora/<id>/{train,valid,test}.txt` and `corpus.json`. No HTTP, no SQL. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { KnownCorpusName, type SplitName, StoredCorpusManifest } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import { CORPORA, CORPUS_MANIFEST } from '../files/layout.js';
import type { CorpusText } from './corpus.js';
import { decodeUtf8, sha256 } from './text-bytes.js';

/** The folder that all uploaded corpora lie in. */
export function storedCorporaFolder(dataDirectory: string): string {
  return join(dataDirectory, CORPORA);
}

/** A new id; no two are the same. */
export function newCorpusId(): string {
  return `c-${randomBytes(8).toString('hex')}`;
}

/** All uploaded corpora, the newest first. A folder without a readable corpus.json is not one. */
export async function listStoredCorpora(dataDirectory: string): Promise<StoredCorpusManifest[]> {
  const folder = storedCorporaFolder(dataDirectory);
  const names = await readdir(folder).catch(absentAsEmpty);
  const manifests = await Promise.all(
    names.filter((name) => !name.startsWith('.')).map((name) => readManifest(join(folder, name))),
  );
  return manifests
    .filter((manifest) => manifest !== null)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id));
}

/** The uploaded corpus of that id or name, if there is one. */
export async function findStoredCorpus(
  dataDirectory: string,
  idOrName: string,
): Promise<StoredCorpusManifest | null> {
  const manifests = await listStoredCorpora(dataDirectory);
  const wanted = idOrName.normalize('NFC');
  return manifests.find(({ id, name }) => id === wanted || name === wanted) ?? null;
}

/**
 * The text of an uploaded corpus.
 * @throws corpus-unavailable when a file is missing or was changed
 */
export async function openCorpus(dataDirectory: string, manifest: StoredCorpusManifest): Promise<CorpusText> {
  const { id, name, digest } = manifest;
  const read = async (split: SplitName) => {
    const path = splitPath(dataDirectory, id, split);
    const bytes = await readFile(path).catch((cause) => {
      throw appError('corpus-unavailable', { corpus: name, reason: `${path} cannot be read` }, cause);
    });
    if (sha256(bytes) === manifest.files[split].sha256) return decodeUtf8(bytes);
    throw appError('corpus-unavailable', { corpus: name, reason: `${path} was changed after the upload` });
  };
  const splits = { train: await read('train'), valid: await read('valid'), test: await read('test') };
  return {
    id,
    name,
    splits,
    defaultPreTokenizer: manifest.defaultPreTokenizer,
    source: `upload “${name}”`,
    digest,
  };
}

/** The first bytes of a split. */
export async function readStoredBeginning(
  dataDirectory: string,
  id: string,
  split: SplitName,
  bytes: number,
): Promise<Uint8Array> {
  const file = await open(splitPath(dataDirectory, id, split), 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Deletes an uploaded corpus with its files: it is gone at once, even if removing is interrupted.
 * @throws corpus-not-found
 */
export async function deleteStoredCorpus(dataDirectory: string, idOrName: string): Promise<void> {
  const manifest = await findStoredCorpus(dataDirectory, idOrName);
  if (!manifest) {
    const stored = await listStoredCorpora(dataDirectory);
    const known = stored.map(({ name }) => name).join(', ');
    throw appError('corpus-not-found', { corpus: idOrName, known });
  }
  const folder = storedCorporaFolder(dataDirectory);
  const removed = join(folder, `.removed-${manifest.id}`);
  await rename(join(folder, manifest.id), removed);
  await rm(removed, { recursive: true, force: true });
}

/**
 * Gives a finished folder its place. Asking whether the name is free and taking it is one synchronous step, so of two
 * uploads with one name the second is refused.
 * @throws corpus-exists
 */
export function publishCorpus(
  dataDirectory: string,
  stagedFolder: string,
  manifest: StoredCorpusManifest,
): void {
  const folder = storedCorporaFolder(dataDirectory);
  const { id, name } = manifest;
  const isTaken =
    KnownCorpusName.safeParse(name).success ||
    readdirSync(folder).some((entry) => entry === name || readNameSync(join(folder, entry)) === name);
  if (isTaken) throw appError('corpus-exists', { corpus: name });
  renameSync(stagedFolder, join(folder, id));
}

export function splitPath(dataDirectory: string, id: string, split: SplitName): string {
  return join(storedCorporaFolder(dataDirectory), id, `${split}.txt`);
}

async function readManifest(folder: string): Promise<StoredCorpusManifest | null> {
  try {
    return StoredCorpusManifest.parse(JSON.parse(await readFile(join(folder, CORPUS_MANIFEST), 'utf8')));
  } catch {
    return null; // half removed, or not ours
  }
}

function readNameSync(folder: string): string | null {
  if (basename(folder).startsWith('.')) return null;
  try {
    return StoredCorpusManifest.parse(JSON.parse(readFileSync(join(folder, CORPUS_MANIFEST), 'utf8'))).name;
  } catch {
    return null;
  }
}

function absentAsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
