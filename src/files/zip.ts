import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { ZipFile } from 'yazl';
import { appError } from '../errors.js';

/** A file to write into an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Called when the file is written. */
  readonly open: () => Promise<Readable>;
  /** False for tensors, which do not compress. */
  readonly compress: boolean;
}

/** Writes an archive as a stream. An error of a file is an error of the stream. */
export function writeZip(entries: readonly ZipEntry[], modified: Date): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  for (const { name, open, compress } of entries)
    zip.addReadStreamLazy(name, { compress, mtime: modified }, (take) => {
      open().then(
        (stream) => take(null, stream),
        (error) => take(error, null as never),
      );
    });
  zip.on('error', (error) => output.destroy(error));
  zip.end();
  return output;
}

/** Reads an archive in a file. */
export class ZipReader {
  readonly #archive: yauzl.ZipFile;
  readonly #entries: ReadonlyMap<string, yauzl.Entry>;

  private constructor(archive: yauzl.ZipFile, entries: ReadonlyMap<string, yauzl.Entry>) {
    this.#archive = archive;
    this.#entries = entries;
  }

  /**
   * @param maxBytes maximum total size of all files, uncompressed
   * @throws bad-request, body-too-large
   */
  static async open(path: string, maxBytes: number): Promise<ZipReader> {
    const archive = await readable(yauzl.openPromise(path, { autoClose: false }));
    try {
      const entries = new Map<string, yauzl.Entry>();
      let bytes = 0;
      for await (const entry of archive.eachEntry()) {
        bytes += entry.uncompressedSize; // verified while reading
        if (bytes > maxBytes) throw appError('body-too-large', { limit: maxBytes });
        entries.set(entry.fileName, entry);
      }
      return new ZipReader(archive, entries);
    } catch (error) {
      archive.close();
      throw asZipError(error);
    }
  }

  /** @throws bad-request when it has no such file */
  async read(name: string): Promise<Readable> {
    const entry = this.#entries.get(name);
    if (!entry) throw appError('bad-request', { reason: `The archive has no ${name}` });
    return readable(this.#archive.openReadStreamPromise(entry));
  }

  close(): void {
    this.#archive.close();
  }
}

async function readable<Value>(promise: Promise<Value>): Promise<Value> {
  try {
    return await promise;
  } catch (error) {
    throw asZipError(error);
  }
}

function asZipError(error: unknown): unknown {
  if (error instanceof Error && 'kind' in error) return error;
  const reason = `The body is not a .zip archive: ${(error as Error).message}`;
  return appError('bad-request', { reason }, error);
}
