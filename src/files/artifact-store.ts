/**
 * Storage of checkpoints, models, corpora and bundles. Content by key, see src/files/layout.ts.
 *
 * Deliberately not here: absolute paths, so that a store can be on another machine; locking, since writes are atomic
 * replacements.
 */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ArtifactInfo } from '../contracts/artifacts.js';

export type ByteSource = Uint8Array | AsyncIterable<Uint8Array>;

export interface ArtifactStore {
  /** Size and checksum; null = not found. */
  stat(key: string): Promise<ArtifactInfo | null>;
  /** The bytes from `start` on; null = not found. Replacing the artifact does not affect a stream that is being read. */
  get(key: string, start?: number): Promise<Readable | null>;
  /**
   * Stores bytes atomically: they are on the disk when the promise resolves.
   * @param expected size and checksum to verify
   * @throws artifact-corrupt, out-of-disk, write-failed, and errors of the source
   */
  put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo>;
  /** Keys that begin with `prefix/`, sorted, without unfinished writes. */
  list(prefix: string): Promise<string[]>;
  /** Deletes a key, and all keys below it. */
  delete(key: string): Promise<void>;
}

/**
 * Copies one artifact, between two stores or within one.
 * @returns null when it does not exist
 * @throws see {@link ArtifactStore.put}
 */
export async function copyArtifact(
  from: ArtifactStore,
  fromKey: string,
  to: ArtifactStore,
  toKey: string = fromKey,
): Promise<ArtifactInfo | null> {
  const bytes = await from.get(fromKey);
  return bytes && to.put(toKey, bytes);
}

/**
 * Copies one artifact unless the same bytes are there.
 * @returns whether it exists
 */
export async function copyIfChanged(key: string, from: ArtifactStore, to: ArtifactStore): Promise<boolean> {
  const [wanted, here] = [await from.stat(key), await to.stat(key)];
  if (!wanted) return false;
  if (here?.sha256 === wanted.sha256) return true;
  return (await copyArtifact(from, key, to)) !== null;
}

/** A small artifact as text; null = not found. */
export async function readText(store: ArtifactStore, key: string): Promise<string | null> {
  const stream = await store.get(key);
  return stream && text(stream);
}
