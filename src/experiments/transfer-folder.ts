import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ByteSource } from '../corpora/staged-upload.js';
import { appError } from '../errors.js';
import { diskError, isSystemError } from '../files/disk-error.js';
import { pathOf, TRANSFERS } from '../files/layout.js';

/** A temporary folder below the data folder for files being imported or exported; removed by {@link discard}. */
export class TransferFolder {
  readonly key: string;
  readonly path: string;
  readonly #names = new Set<string>();
  #receivedBytes = 0;

  private constructor(key: string, path: string) {
    this.key = key;
    this.path = path;
  }

  /** @throws out-of-disk, write-failed */
  static async create(dataDirectory: string): Promise<TransferFolder> {
    const key = `${TRANSFERS}/${randomBytes(8).toString('hex')}`;
    const path = pathOf(dataDirectory, key);
    await mkdir(path, { recursive: true }).catch((error) => {
      throw diskError(path, error);
    });
    return new TransferFolder(key, path);
  }

  /**
   * Writes a file from a stream.
   * @param maxBytes maximum total size of all files
   * @throws bad-request for a duplicate file, body-too-large, out-of-disk, write-failed
   */
  async receive(name: string, source: ByteSource, maxBytes: number): Promise<void> {
    if (this.#names.has(name)) throw appError('bad-request', { reason: `The file "${name}" was sent twice` });
    this.#names.add(name);
    const file = join(this.path, name);
    const count = this.#counted(source, maxBytes);
    await pipeline(count, createWriteStream(file)).catch((error) => {
      throw isSystemError(error) ? diskError(file, error) : error;
    });
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  async discard(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async *#counted(source: ByteSource, maxBytes: number): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes > maxBytes) throw appError('body-too-large', { limit: maxBytes });
      yield chunk;
    }
  }
}
