/**
 * The safetensors format: 8 bytes little-endian length of a JSON header, the header, then the raw values.
 *
 *     { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, …, "__metadata__": { "key": "text" } }
 *
 * Offsets count from the end of the header. Everything in a file is checked before it is used: files come from
 * strangers too. Reference: https://github.com/huggingface/safetensors (format section of its README).
 */
import { appError } from '../errors.js';

/** A tensor as plain data. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Longest header that is read, in bytes; the format's own limit is 100 MB. */
const MAX_HEADER_BYTES = 10_000_000;
const LENGTH_BYTES = 8;
/** Bytes an element, for the types that are read; all become float32. */
const DTYPE_BYTES: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2 };

/** Encodes tensors as float32, in the order of the map. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Buffer {
  const header: Record<string, unknown> = Object.create(null); // a tensor may be named __proto__
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padding = (8 - (json.length % 8)) % 8; // values begin at a multiple of 8
  const file = Buffer.alloc(LENGTH_BYTES + json.length + padding + offset, ' ');
  file.writeBigUInt64LE(BigInt(json.length + padding));
  json.copy(file, LENGTH_BYTES);
  let position = LENGTH_BYTES + json.length + padding;
  for (const { values } of tensors.values()) {
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(file, position);
    position += values.byteLength;
  }
  return file;
}

/**
 * Decodes a file.
 * @param file for messages
 * @throws checkpoint-corrupt when it is truncated or its header lies
 */
export function decodeSafetensors(bytes: Buffer, file: string): SafetensorsFile {
  const refuse = (reason: string): never => {
    throw appError('checkpoint-corrupt', { file, reason });
  };
  if (bytes.length < LENGTH_BYTES) refuse(`it has ${bytes.length} bytes; a header alone has ${LENGTH_BYTES}`);
  const headerBytes = Number(bytes.readBigUInt64LE());
  if (headerBytes > MAX_HEADER_BYTES)
    refuse(`its header claims ${headerBytes} bytes; at most ${MAX_HEADER_BYTES} are read`);
  if (LENGTH_BYTES + headerBytes > bytes.length)
    refuse(`its header claims ${headerBytes} bytes; the file ends before`);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes), refuse);
  const data = bytes.subarray(LENGTH_BYTES + headerBytes);

  const tensors = new Map<string, HostTensor>();
  let metadata: Record<string, string> = {};
  const spans: [number, number][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = parseMetadata(entry, refuse);
      continue;
    }
    const { dtype, shape, begin, end } = parseEntry(name, entry, data.length, refuse);
    spans.push([begin, end]);
    tensors.set(name, { shape, values: toFloat32(dtype, data.subarray(begin, end)) });
  }
  spans.sort(([a, aEnd], [b, bEnd]) => a - b || aEnd - bEnd); // an empty one comes before what begins with it
  let position = 0;
  for (const [begin, end] of spans) {
    if (begin !== position) refuse(`its tensors overlap or leave a gap at byte ${Math.min(begin, position)}`);
    position = end;
  }
  if (position !== data.length) refuse(`its tensors cover ${position} bytes of ${data.length}`);
  return { tensors, metadata };
}

type Refuse = (reason: string) => never;

function parseHeader(json: Buffer, refuse: Refuse): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(json.toString('utf8'));
    if (isRecord(header)) return header;
  } catch {
    // the message below says all that a JSON parser's would
  }
  return refuse('its header is not a JSON object');
}

function parseMetadata(entry: unknown, refuse: Refuse): Record<string, string> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string')) {
    return refuse('its __metadata__ is not a map of text to text');
  }
  return entry as Record<string, string>;
}

function parseEntry(name: string, entry: unknown, dataBytes: number, refuse: Refuse) {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const size =
    typeof dtype === 'string' && Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype] : undefined;
  if (size === undefined) {
    return refuse(
      `tensor "${name}" has dtype ${JSON.stringify(dtype)}; read are ${Object.keys(DTYPE_BYTES).join(', ')}`,
    );
  }
  if (!isCounts(shape) || shape.length > 8)
    return refuse(`tensor "${name}" has shape ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    return refuse(`tensor "${name}" has data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, count) => product * count, size);
  if (end > dataBytes) refuse(`tensor "${name}" ends at byte ${end} of ${dataBytes}: the file is truncated`);
  if (end - begin !== bytes) refuse(`tensor "${name}" has ${end - begin} bytes; its shape needs ${bytes}`);
  return { dtype: dtype as string, shape, begin, end };
}

function toFloat32(dtype: string, bytes: Buffer): Float32Array {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength); // aligned
  switch (dtype) {
    case 'F64':
      return Float32Array.from(new Float64Array(copy));
    case 'BF16': {
      const wide = Uint32Array.from(new Uint16Array(copy), (half) => half << 16);
      return new Float32Array(wide.buffer);
    }
    case 'F16':
      return Float32Array.from(new Uint16Array(copy), halfToNumber);
    default:
      return new Float32Array(copy);
  }
}

/** IEEE 754 binary16. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
