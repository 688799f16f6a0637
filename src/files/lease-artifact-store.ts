import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArtifactInfo } from '../contracts/artifacts.js';
import { type ArtifactStore, type ByteSource, readText } from './artifact-store.js';
import { LATEST } from './copy-snapshot.js';
import { CORPORA, isKeptCheckpoint, LATEST_CHECKPOINT, leaseKey } from './layout.js';

/**
 * The files of one lease in an exchange: corpora are those of all leases, everything else has a place of its own, so that
 * the holder of an older lease overwrites nothing of a later one.
 */
export class LeaseArtifactStore implements ArtifactStore {
  readonly #exchange: ArtifactStore;
  readonly #root: string;

  constructor(exchange: ArtifactStore, lease: { readonly experimentId: string; readonly attempt: number }) {
    this.#exchange = exchange;
    this.#root = `${leaseKey(lease)}/`;
  }

  stat(key: string): Promise<ArtifactInfo | null> {
    return this.#exchange.stat(this.#rootOf(key) + key);
  }

  get(key: string, start?: number): Promise<Readable | null> {
    return this.#exchange.get(this.#rootOf(key) + key, start);
  }

  /** A new latest checkpoint replaces the one before. */
  async put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo> {
    const info = await this.#exchange.put(this.#rootOf(key) + key, bytes, expected);
    if (key.endsWith(`/${LATEST}`)) await this.#prune(key.slice(0, -`/${LATEST_CHECKPOINT}`.length));
    return info;
  }

  async list(prefix: string): Promise<string[]> {
    const root = this.#rootOf(prefix);
    return (await this.#exchange.list(root + prefix)).map((key) => key.slice(root.length));
  }

  delete(key: string): Promise<void> {
    return this.#exchange.delete(this.#rootOf(key) + key);
  }

  #rootOf(key: string): string {
    return key === CORPORA || key.startsWith(`${CORPORA}/`) ? '' : this.#root;
  }

  /** Deletes the tensors that no record (latest or kept) names. */
  async #prune(checkpoints: string): Promise<void> {
    const keys = await this.list(checkpoints);
    const records = keys.filter((key) => isRecord(basename(key)));
    const named = await Promise.all(records.map((key) => readText(this, key)));
    for (const key of keys.filter((each) => !records.includes(each)))
      if (!named.some((json) => json?.includes(basename(key)))) await this.delete(key);
  }
}

function isRecord(name: string): boolean {
  return name === LATEST_CHECKPOINT || isKeptCheckpoint(name);
}
