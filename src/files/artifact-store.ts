/**
 * Everything that keeps bytes: checkpoints, models, corpora, bundles. Content by key, see src/files/layout.ts.
 *
 * Deliberately not here: absolute paths, so that a store may be on another machine; locking, since what is replaced is
 * replaced whole.
 */
import type { Readable } from 'node:stream';
import type { ArtifactInfo } from '../contracts/artifacts.js';

export type ByteSource = Uint8Array | AsyncIterable<Uint8Array>;

export interface ArtifactStore {
  /** Length and checksum; null = there is none. */
  stat(key: string): Promise<ArtifactInfo | null>;
  /** The bytes from `start` on; null = there is none. What replaces it meanwhile does not change what is read. */
  get(key: string, start?: number): Promise<Readable | null>;
  /**
   * Stores bytes whole, or not at all: they are on the disk when it resolves.
   * @param expected what they have to be
   * @throws artifact-corrupt, out-of-disk, write-failed, and what the source throws
   */
  put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo>;
  /** Keys that begin with `prefix/`, sorted, without those that somebody writes just now. */
  list(prefix: string): Promise<string[]>;
  /** Removes a key, and all keys below it. */
  delete(key: string): Promise<void>;
}

/**
 * Copies one artifact, between two stores or within one.
 * @returns null when there is none
 * @throws as {@link ArtifactStore.put}
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
