import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Lease } from '../compute/training-executor.js';
import type { ArtifactInfo } from '../contracts/artifacts.js';
import { appError } from '../errors.js';
import { LATEST } from '../files/copy-snapshot.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { CHECKPOINTS, CORPORA, EXPERIMENTS, experimentKey, isModelFile } from '../files/layout.js';
import { pruneCheckpoints } from '../files/prune-checkpoints.js';
import type { Store } from '../store/store.js';
import type { Caller } from './api-keys.js';
import type { DataFolder } from './data-folder.js';
import { holdsLease } from './record-run.js';

export interface ArtifactDependencies {
  readonly store: Store;
  readonly folder: DataFolder;
}

const OPEN_FOLDERS = [EXPERIMENTS, CORPORA];

/** The files of the data folder that trainers and inferencers on other machines may read and write: corpora and experiments. */
export class Artifacts {
  readonly #dependencies: ArtifactDependencies;
  readonly #files: FolderArtifactStore;
  /** Checksums by path, with the state of the file that they belong to. */
  readonly #known = new Map<string, { readonly mark: string; readonly info: ArtifactInfo }>();

  constructor(dependencies: ArtifactDependencies) {
    this.#dependencies = dependencies;
    this.#files = new FolderArtifactStore(dependencies.folder.path);
  }

  /** Inferencers need models and nothing else. @throws forbidden */
  assertMayRead(caller: Caller | null, key: string): void {
    if (caller?.scope !== 'inferencer' || isModelFile(key)) return;
    throw appError('forbidden', { scope: 'trainer', key: caller.name, has: caller.scope });
  }

  /** @throws artifact-not-found, data-folder-missing */
  async stat(key: string): Promise<ArtifactInfo> {
    this.#assertOpen(key);
    const mark = markOf(this.#files.path(key));
    const known = this.#known.get(key);
    if (mark !== null && known?.mark === mark) return known.info;
    const info = await this.#files.stat(key);
    if (!info || mark === null) throw appError('artifact-not-found', { key });
    this.#known.delete(key);
    this.#known.set(key, { mark, info });
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return info;
  }

  /** @throws artifact-not-found */
  async read(key: string, start: number): Promise<Readable> {
    this.#assertOpen(key);
    const stream = await this.#files.get(key, start);
    if (!stream) throw appError('artifact-not-found', { key });
    return stream;
  }

  list(prefix: string): Promise<string[]> {
    this.#assertOpen(`${prefix}/`);
    return this.#files.list(prefix);
  }

  /**
   * Stores a file of the holder of a lease; others are refused.
   * @throws lease-lost, artifact-corrupt, out-of-disk, write-failed, data-folder-missing
   */
  async write(
    lease: Lease,
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    expected: ArtifactInfo,
  ): Promise<void> {
    const own = `${experimentKey(lease.experimentId)}/`;
    this.#assertOpen(key);
    this.#assertHeld(lease, key, own);
    const staged = `${key}-${createHash('sha256').update(`${lease.attempt}`).digest('hex').slice(0, 8)}.incoming`;
    await this.#files.put(staged, bytes, expected);
    this.#assertHeld(lease, key, own); // the lease may have been lost during the upload
    await this.#files.rename(staged, key);
    if (key === `${own}${LATEST}`) pruneCheckpoints(this.#files.path(`${own}${CHECKPOINTS}`));
  }

  #assertHeld(lease: Lease, key: string, own: string): void {
    const experiment = this.#dependencies.store.experiments.find(lease.experimentId);
    if (key.startsWith(own) && holdsLease(experiment, lease)) return;
    throw appError('lease-lost', { experiment: lease.experimentId, attempt: lease.attempt });
  }

  #assertOpen(key: string): void {
    this.#dependencies.folder.assertPresent();
    if (!OPEN_FOLDERS.some((folder) => key.startsWith(`${folder}/`)))
      throw appError('artifact-not-found', { key });
  }
}

const MAX_KNOWN = 1000;

function markOf(path: string): string | null {
  const info = statSync(path, { throwIfNoEntry: false });
  return info ? `${info.ino}:${info.size}:${info.mtimeMs}` : null;
}
