import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { diskError } from '../files/disk-error.js';

export interface WrittenFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A new file whose length and SHA-256 are known when it is finished, and flushed to the disk. */
export class HashedFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<HashedFile> {
    return new HashedFile(path, await open(path, 'wx'));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws out-of-disk, write-failed */
  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.appendFile(bytes).catch((error) => {
      throw diskError(this.#path, error);
    });
  }

  async finish(): Promise<WrittenFile> {
    await this.#file.sync();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
