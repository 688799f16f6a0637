import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelReference } from '../../contracts/jobs.js';
import { AppError, appError } from '../../errors.js';
import type { ArtifactStore } from '../../files/artifact-store.js';
import type { FolderArtifactStore } from '../../files/folder-artifact-store.js';
import { FETCHED_MODELS, MODEL_FILES } from '../../files/layout.js';

export interface ModelCacheOptions {
  /** The artifacts of the server. */
  readonly server: Pick<ArtifactStore, 'stat' | 'get'>;
  readonly local: FolderArtifactStore;
  /** Size above which the least recently used models are deleted, except those in use. */
  readonly maxBytes: number;
}

interface Entry {
  readonly experimentId: string;
  bytes: number;
  users: number;
  /** Settles when its files are those of the server; null = left by an earlier process, not compared yet. */
  fetched: Promise<void> | null;
}

const FILES = Object.values(MODEL_FILES);
/** Downloads of a model that was replaced at the server meanwhile. */
const MAX_FETCHES = 3;

/**
 * The models of a server in a folder of this machine. Each digest has a folder of its own, so that new weights never replace
 * files that are in use.
 */
export class ModelCache {
  readonly #options: ModelCacheOptions;
  /** By folder, least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Settles when what was evicted is deleted. */
  #deletions: Promise<void> = Promise.resolve();

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  /** Finds the models that an earlier process left, and deletes unfinished ones. */
  open(): void {
    const foldersIn = (path: string) =>
      existsSync(path)
        ? readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
        : [];
    const root = this.#options.local.path(FETCHED_MODELS);
    for (const { name: experimentId } of foldersIn(root))
      for (const { name: digest } of foldersIn(join(root, experimentId))) {
        const path = join(root, experimentId, digest);
        const files = readdirSync(path);
        if (files.length !== FILES.length || !FILES.every((file) => files.includes(file))) {
          rmSync(path, { recursive: true });
          continue;
        }
        const bytes = files.reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
        const folder = `${FETCHED_MODELS}/${experimentId}/${digest}`;
        this.#entries.set(folder, { experimentId, bytes, users: 0, fetched: null });
      }
    this.#evict();
  }

  /**
   * Calls `body` with the model in the folder of this machine, where it stays until `body` has ended.
   * @throws artifact-not-found, artifact-corrupt, host-unavailable, out-of-disk, write-failed, and what `body` throws
   */
  async use<Result>(
    model: ModelReference,
    body: (local: ModelReference) => Promise<Result>,
  ): Promise<Result> {
    const { experimentId, digest } = model;
    const folder = `${FETCHED_MODELS}/${experimentId}/${digest}`;
    const entry = this.#entries.get(folder) ?? { experimentId, bytes: 0, users: 0, fetched: null };
    this.#entries.delete(folder);
    this.#entries.set(folder, entry);
    entry.users += 1;
    try {
      entry.fetched ??= this.#fetch(model.folder, folder, entry);
      await entry.fetched.catch((error) => {
        entry.fetched = null; // the next task tries again
        throw error;
      });
      return await body({ ...model, folder });
    } finally {
      entry.users -= 1;
      this.#evict();
    }
  }

  async #fetch(from: string, folder: string, entry: Entry): Promise<void> {
    await this.#deletions;
    for (let fetches = 1; ; fetches++) {
      try {
        entry.bytes = 0;
        for (const file of FILES)
          entry.bytes += await this.#fetchFile(`${from}/${file}`, `${folder}/${file}`);
        return;
      } catch (error) {
        const wasReplaced = error instanceof AppError && error.code === 'artifact-corrupt';
        if (!wasReplaced || fetches === MAX_FETCHES) throw error;
      }
    }
  }

  /** @returns its size in bytes */
  async #fetchFile(key: string, localKey: string): Promise<number> {
    const { server, local } = this.#options;
    const [wanted, present] = [await server.stat(key), await local.stat(localKey)];
    if (!wanted) throw appError('artifact-not-found', { key });
    if (present?.sha256 === wanted.sha256) return wanted.bytes;
    const bytes = await server.get(key);
    if (!bytes) throw appError('artifact-not-found', { key });
    await local.put(localKey, bytes, wanted);
    return wanted.bytes;
  }

  /**
   * Deletes models with other weights than the latest of their experiment, and the least recently used ones beyond the limit; one is
   * kept, however large.
   */
  #evict(): void {
    const entries = [...this.#entries];
    const latest = new Map(entries.map(([folder, { experimentId }]) => [experimentId, folder]));
    const isOld = ([folder, { experimentId }]: (typeof entries)[number]) =>
      latest.get(experimentId) !== folder;
    let bytes = entries.reduce((sum, [, entry]) => sum + entry.bytes, 0);
    const remove = ([folder, entry]: (typeof entries)[number]) => {
      if (entry.users > 0 || !this.#entries.delete(folder)) return;
      bytes -= entry.bytes;
      this.#deletions = this.#deletions.then(() => this.#options.local.delete(folder)).catch(() => {}); // the next start counts it
    };
    entries.filter(isOld).forEach(remove);
    for (const each of entries.slice(0, -1)) if (bytes > this.#options.maxBytes) remove(each);
  }
}
