/** Formats that are often sent instead of a text, by their first bytes, and what to do. */
const FORMATS: readonly (readonly [begins: string, advice: string])[] = [
  ['\x1f\x8b', 'it is compressed by gzip; unpack it first, or send it with Content-Encoding: gzip'],
  [
    'PK\x03\x04',
    'it is an archive (.zip, or a document such as .docx); name it .zip, or save it as plain text',
  ],
  ['%PDF-', 'it is a PDF; save it as plain text'],
  ['\x28\xb5\x2f\xfd', 'it is compressed by zstd; unpack it first'],
  ['\xfd7zXZ', 'it is compressed by xz; unpack it first'],
];

/** First bytes that tell all of these. */
export const FORMAT_BYTES = 5;

/** What a file is that is no text, and what to do; null = not known, perhaps a text. */
export function binaryFormat(beginning: Uint8Array): string | null {
  const first = Buffer.from(beginning.subarray(0, FORMAT_BYTES)).toString('latin1');
  return FORMATS.find(([begins]) => first.startsWith(begins))?.[1] ?? null;
}
