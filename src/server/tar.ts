import { createReadStream } from 'node:fs';
import { join } from 'node:path';

/** A file of an archive. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: number;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

/**
 * The files of a folder as a tar archive (POSIX.1-1988 "ustar"), as a stream: a header of 512 bytes before each file,
 * zeros to the next multiple of 512 after it, two blocks of zeros at the end.
 * @param entries names of at most 100 ASCII characters, files of less than 8 GiB
 */
export async function* tarFolder(
  folder: string,
  entries: readonly TarEntry[],
  modified: Date,
): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield tarHeader(entry, modified);
    for await (const chunk of createReadStream(join(folder, entry.name))) yield chunk as Buffer;
    yield Buffer.alloc(padding(entry.bytes));
  }
  yield END;
}

/** Length of the whole archive. */
export function tarBytes(entries: readonly TarEntry[]): number {
  return entries.reduce((total, { bytes }) => total + BLOCK + bytes + padding(bytes), END.length);
}

function padding(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK;
}

function tarHeader({ name, bytes }: TarEntry, modified: Date): Buffer {
  const header = Buffer.alloc(BLOCK);
  const put = (offset: number, text: string) => header.write(text, offset, 'ascii');
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  put(0, name);
  put(100, '0000644'); // mode
  put(108, '0000000'); // owner
  put(116, '0000000'); // group
  put(124, octal(bytes, 11));
  put(136, octal(Math.floor(modified.getTime() / 1000), 11));
  put(148, '        '); // the checksum field counts as blanks
  put(156, '0'); // a plain file
  put(257, 'ustar');
  put(263, '00');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  put(148, `${octal(checksum, 6)}\0 `);
  return header;
}
