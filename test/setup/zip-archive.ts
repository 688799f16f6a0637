import { deflateRawSync } from 'node:zlib';

/** A file of an archive. */
export interface ZipFile {
  readonly name: string;
  readonly content: Buffer;
  readonly deflate?: boolean;
  /** What its headers claim, where that is not true. */
  readonly crc32?: number;
}

/** A zip archive, byte by byte: local headers with data, central directory, end record. */
export function zipArchive(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const data = file.deflate ? deflateRawSync(file.content) : file.content;
    const header = headerOf(file, data.length);
    const name = Buffer.from(file.name);
    const local = Buffer.concat([uint32(0x04034b50), header, uint16(name.length), uint16(0), name]);
    directory.push(
      Buffer.concat([
        uint32(0x02014b50),
        uint16(20),
        header,
        uint16(name.length),
        Buffer.alloc(12),
        uint32(at),
        name,
      ]),
    );
    parts.push(local, data);
    at += local.length + data.length;
  }
  const central = Buffer.concat(directory);
  const count = uint16(files.length);
  const place = [uint32(central.length), uint32(at), uint16(0)];
  return Buffer.concat([...parts, central, uint32(0x06054b50), uint32(0), count, count, ...place]);
}

/** What local header and directory have in common: from the version needed to the uncompressed size. */
function headerOf(file: ZipFile, compressedBytes: number): Buffer {
  return Buffer.concat([
    uint16(20),
    uint16(0),
    uint16(file.deflate ? 8 : 0),
    uint32(0),
    uint32(file.crc32 ?? crc32(file.content)),
    uint32(compressedBytes),
    uint32(file.content.length),
  ]);
}

/** CRC-32 as it is defined, bit by bit. */
function crc32(content: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
