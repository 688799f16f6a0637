/**
 * Reads single files out of a zip archive, streaming, without unpacking the rest. Stored and deflated entries, zip64.
 * Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

const END = 0x06054b50;
const END_BYTES = 22;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
const MOST_DIRECTORY_BYTES = 256 * 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;

/**
 * @typedef {object} ZipEntry
 * @property {string} name with `/` between folders; not checked: choose the path to extract to yourself
 * @property {number} method 0 stored, 8 deflated
 * @property {boolean} encrypted
 * @property {number} crc32
 * @property {number} compressedBytes
 * @property {number} bytes
 * @property {number} headerAt
 */

/**
 * The entries of an archive, from its central directory.
 * @param {string} path
 * @returns {Promise<ZipEntry[]>}
 * @throws Error where it is not a whole zip archive
 */
export async function readZipEntries(path) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { count, directoryBytes, directoryAt } = await readEnd(file, size, path);
    if (directoryAt + directoryBytes > size || directoryBytes > MOST_DIRECTORY_BYTES) {
      throw new Error(`${path}: the zip directory lies outside of the file: it was cut off`);
    }
    const entries = parseDirectory(await readAt(file, directoryAt, directoryBytes), path);
    if (entries.length !== count)
      throw new Error(`${path}: expected ${count} zip entries, got ${entries.length}`);
    return entries;
  } finally {
    await file.close();
  }
}

/**
 * Writes one entry to a file.
 * @param {string} path the archive
 * @param {ZipEntry} entry
 * @param {string} to the file, replaced if it is there; its folder must exist
 * @throws Error where size or checksum differ from what the directory says
 */
export async function extractZipEntry(path, entry, to) {
  if (entry.encrypted) throw new Error(`${entry.name} is encrypted`);
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new Error(
      `${entry.name} is compressed by method ${entry.method}; stored (0) and deflated (8) can be read`,
    );
  }
  const start = await dataStart(path, entry);
  const check = createCheck(entry);
  const inflate = entry.method === DEFLATED ? [zlib.createInflateRaw({ chunkSize: 1 << 18 })] : [];
  // createReadStream reads at least one byte, an empty entry has none.
  const raw =
    entry.compressedBytes > 0
      ? createReadStream(path, { start, end: start + entry.compressedBytes - 1, highWaterMark: 1 << 20 })
      : [];
  await pipeline(raw, ...inflate, check, createWriteStream(to));
}

/** Passes bytes on and compares their number and checksum with the directory's. */
function createCheck({ name, bytes, crc32 }) {
  let seen = 0;
  let crc = 0;
  return new Transform({
    transform(chunk, _encoding, done) {
      seen += chunk.length;
      crc = updateCrc32(chunk, crc);
      done(
        seen > bytes ? new Error(`${name} unpacks to more than the ${bytes} bytes it names`) : null,
        chunk,
      );
    },
    flush(done) {
      if (seen !== bytes) done(new Error(`${name}: expected ${bytes} bytes, got ${seen}`));
      else if (crc !== crc32) done(new Error(`${name}: its checksum differs, the archive is damaged`));
      else done();
    },
  });
}

async function readEnd(file, size, path) {
  const tailBytes = Math.min(size, END_BYTES + LONGEST_COMMENT);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const end = {
      count: tail.readUInt16LE(at + 10),
      directoryBytes: tail.readUInt32LE(at + 12),
      directoryAt: tail.readUInt32LE(at + 16),
    };
    const isZip64 =
      end.count === 0xffff || end.directoryBytes === 0xffffffff || end.directoryAt === 0xffffffff;
    return isZip64 ? ((await readZip64End(file, size - tailBytes + at)) ?? end) : end;
  }
  throw new Error(`${path} is not a zip archive, or was cut off`);
}

/** The end record of zip64, found by the locator that stands before the ordinary one. */
async function readZip64End(file, endAt) {
  if (endAt < ZIP64_LOCATOR_BYTES) return undefined;
  const locator = await readAt(file, endAt - ZIP64_LOCATOR_BYTES, ZIP64_LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== ZIP64_LOCATOR) return undefined;
  const end = await readAt(file, readUInt64(locator, 8), ZIP64_END_BYTES);
  if (end.readUInt32LE(0) !== ZIP64_END)
    throw new Error('the zip64 end record is not where its locator says');
  return {
    count: readUInt64(end, 32),
    directoryBytes: readUInt64(end, 40),
    directoryAt: readUInt64(end, 48),
  };
}

function parseDirectory(directory, path) {
  const entries = [];
  for (let at = 0; at + CENTRAL_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== CENTRAL) throw new Error(`${path}: its zip directory is damaged`);
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const nameAt = at + CENTRAL_BYTES;
    entries.push({
      name: directory.toString('utf8', nameAt, nameAt + nameBytes),
      method: directory.readUInt16LE(at + 10),
      encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
      crc32: directory.readUInt32LE(at + 16),
      ...readSizes(directory, at, directory.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes)),
    });
    at = nameAt + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** Sizes and place; where 32 bits do not hold them, zip64's extra field does, in this order. */
function readSizes(directory, at, extra) {
  const sizes = {
    bytes: directory.readUInt32LE(at + 24),
    compressedBytes: directory.readUInt32LE(at + 20),
    headerAt: directory.readUInt32LE(at + 42),
  };
  for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2)) {
    if (extra.readUInt16LE(field) !== 1) continue;
    let valueAt = field + 4;
    for (const key of Object.keys(sizes)) {
      if (sizes[key] !== 0xffffffff) continue;
      sizes[key] = readUInt64(extra, valueAt);
      valueAt += 8;
    }
  }
  return sizes;
}

/** Where an entry's data starts: its local header's names may be longer than the directory's. */
async function dataStart(path, { name, headerAt }) {
  const file = await open(path);
  try {
    const header = await readAt(file, headerAt, LOCAL_BYTES);
    if (header.readUInt32LE(0) !== LOCAL) throw new Error(`${name} is not where the zip directory says`);
    return headerAt + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

async function readAt(file, position, length) {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`the archive was cut off: nothing at byte ${position + done}`);
    done += bytesRead;
  }
  return buffer;
}

function readUInt64(buffer, at) {
  const value = Number(buffer.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw new Error('the archive names a size beyond any file');
  return value;
}

/** CRC-32 continued from `crc`: zlib's where this Node has it (20.15), else by table. */
export const updateCrc32 = zlib.crc32 ?? crc32ByTable;

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The table's way, the same numbers. */
export function crc32ByTable(bytes, crc = 0) {
  let state = ~crc;
  for (const byte of bytes) state = CRC_TABLE[(state ^ byte) & 0xff] ^ (state >>> 8);
  return ~state >>> 0;
}
