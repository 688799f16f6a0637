import { deflateRawSync } from 'node:zlib';

/** A file of an archive, and the lies that its headers tell. */
export interface ZipFile {
  readonly name: string;
  readonly content: Buffer;
  readonly deflate?: boolean;
  readonly zip64?: boolean;
  readonly encrypted?: boolean;
  readonly method?: number;
  readonly crc32?: number;
  readonly bytes?: number;
}

/** A zip archive, byte by byte: local headers with data, central directory, end record (zip64's too, if asked for). */
export function zipArchive(files: readonly ZipFile[], { zip64 = false, comment = '' } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const data = file.deflate ? deflateRawSync(file.content) : file.content;
    const common = commonHeader(file, data.length);
    const name = Buffer.from(file.name);
    const localExtra = Buffer.from([0xff, 0xff, 2, 0, 7, 7]); // one that the directory does not have
    const local = Buffer.concat([
      signature(0x04034b50),
      common.subarray(2),
      uint16(name.length),
      uint16(localExtra.length),
      name,
      localExtra,
    ]);
    directory.push(centralHeader(file, common, data.length, at));
    parts.push(local, data);
    at += local.length + data.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, ...endRecords(files.length, central.length, at, zip64, comment)]);
}

/** From "version made by" to the uncompressed size; the local header begins one field later. */
function commonHeader(file: ZipFile, compressedBytes: number): Buffer {
  return Buffer.concat([
    uint16(45),
    uint16(45),
    uint16(file.encrypted ? 1 : 0),
    uint16(file.method ?? (file.deflate ? 8 : 0)),
    uint16(0),
    uint16(0),
    uint32(file.crc32 ?? crc32Bitwise(file.content)),
    uint32(file.zip64 ? 0xffffffff : compressedBytes),
    uint32(file.zip64 ? 0xffffffff : (file.bytes ?? file.content.length)),
  ]);
}

function centralHeader(file: ZipFile, common: Buffer, compressedBytes: number, at: number): Buffer {
  const name = Buffer.from(file.name);
  const sizes = Buffer.concat([
    uint64(file.bytes ?? file.content.length),
    uint64(compressedBytes),
    uint64(at),
  ]);
  const other = Buffer.from([9, 0, 1, 0, 5]); // an unknown field before zip64's
  const extra = file.zip64 ? Buffer.concat([other, uint16(1), uint16(sizes.length), sizes]) : Buffer.alloc(0);
  return Buffer.concat([
    signature(0x02014b50),
    common,
    uint16(name.length),
    uint16(extra.length),
    uint16(3),
    uint16(0),
    uint16(0),
    uint32(0),
    uint32(file.zip64 ? 0xffffffff : at),
    name,
    extra,
    Buffer.from('abc'), // the entry's comment
  ]);
}

function endRecords(count: number, bytes: number, at: number, zip64: boolean, comment: string): Buffer[] {
  const end = Buffer.concat([
    signature(0x06054b50),
    uint16(0),
    uint16(0),
    uint16(zip64 ? 0xffff : count),
    uint16(zip64 ? 0xffff : count),
    uint32(zip64 ? 0xffffffff : bytes),
    uint32(zip64 ? 0xffffffff : at),
    uint16(comment.length),
    Buffer.from(comment),
  ]);
  if (!zip64) return [end];
  const large = Buffer.concat([
    signature(0x06064b50),
    uint64(44),
    uint16(45),
    uint16(45),
    uint32(0),
    uint32(0),
    uint64(count),
    uint64(count),
    uint64(bytes),
    uint64(at),
  ]);
  return [large, Buffer.concat([signature(0x07064b50), uint32(0), uint64(at + bytes), uint32(1)]), end];
}

/** CRC-32 as it is defined, bit by bit. */
function crc32Bitwise(content: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const signature = uint32;

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

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}
