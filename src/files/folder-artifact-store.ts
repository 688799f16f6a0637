import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { type ArtifactInfo, ArtifactKey } from '../contracts/artifacts.js';
import { appError } from '../errors.js';
import type { ArtifactStore, ByteSource } from './artifact-store.js';
import { diskError } from './disk-error.js';
import { flushFolderLater, hashFile } from './durable-file.js';
import { pathOf } from './layout.js';

/** Temporary files of unfinished writes. */
const UNFINISHED = /\.(tmp|part|incoming)$|^\./;

/** Artifacts as the files of one folder. */
export class FolderArtifactStore implements ArtifactStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = resolve(root);
  }

  /**
   * Path of an artifact, for code that reads files on this machine.
   * @throws bad-request for a key that points outside of the folder
   */
  path(key: string): string {
    if (!ArtifactKey.safeParse(key).success)
      throw appError('bad-request', { reason: `"${key}" is not a valid artifact key` });
    return pathOf(this.#root, key);
  }

  async stat(key: string): Promise<ArtifactInfo | null> {
    const path = this.path(key);
    try {
      const info = await stat(path);
      return info.isFile() ? { bytes: info.size, sha256: await hashFile(path) } : null;
    } catch (error) {
      return absentAsNull(error);
    }
  }

  async get(key: string, start = 0): Promise<Readable | null> {
    let file: FileHandle;
    try {
      file = await open(this.path(key), 'r');
    } catch (error) {
      return absentAsNull(error);
    }
    return file.createReadStream({ start });
  }

  async put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo> {
    const path = this.path(key);
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await describingErrors(path, () => mkdir(dirname(path), { recursive: true }));
      const info = await writeNew(temporary, bytes);
      if (expected) assertSame(key, info, expected);
      await describingErrors(path, async () => {
        await rename(temporary, path);
        await flushFolderLater(dirname(path));
      });
      return info;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** Moves an artifact to another key atomically, replacing what is there. */
  async rename(key: string, as: string): Promise<void> {
    const path = this.path(as);
    await describingErrors(path, async () => {
      await rename(this.path(key), path);
      await flushFolderLater(dirname(path));
    });
  }

  async list(prefix: string): Promise<string[]> {
    const folder = this.path(prefix);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
      if (absentAsNull(error) === null) return [];
      throw error;
    });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep))
      .filter((names) => !names.some((name) => UNFINISHED.test(name)))
      .map((names) => [prefix, ...names].join('/'))
      .sort();
  }

  async delete(key: string): Promise<void> {
    await rm(this.path(key), { recursive: true, force: true });
  }
}

/** @throws artifact-corrupt */
export function assertSame(key: string, actual: ArtifactInfo, expected: ArtifactInfo): void {
  if (actual.bytes === expected.bytes && actual.sha256 === expected.sha256) return;
  throw appError('artifact-corrupt', {
    key,
    reason: `it has ${actual.bytes} bytes and SHA-256 ${actual.sha256}, expected ${expected.bytes} and ${expected.sha256}`,
  });
}

async function writeNew(path: string, bytes: ByteSource): Promise<ArtifactInfo> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await describingErrors(path, () => open(path, 'wx'));
  try {
    for await (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
      hash.update(chunk);
      size += chunk.length;
      await describingErrors(path, () => file.appendFile(chunk));
    }
    await describingErrors(path, () => file.sync());
  } finally {
    await file.close();
  }
  return { bytes: size, sha256: hash.digest('hex') };
}

async function describingErrors<Result>(path: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw diskError(path, error);
  }
}

function absentAsNull(error: unknown): null {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error;
}
