import { createHash } from 'node:crypto';
import { appError } from '../errors.js';
import { type PerSplit, SPLIT_NAMES } from './corpus.js';

/**
 * Bytes as text; a byte-order mark at the beginning is left out.
 * @throws corpus-not-text, with the offset of the first byte that is not UTF-8, or is NUL (a binary file)
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const reader = new TextReader();
  return reader.push(bytes) + reader.end();
}

/** Like {@link decodeUtf8}, chunk by chunk. */
export class TextReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Bytes that were decoded before the present chunk. */
  #offset = 0;
  /** Bytes at the end of the last chunk that may be the beginning of a character. */
  #held: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): string {
    const nul = chunk.indexOf(0);
    if (nul >= 0)
      throw notText(
        'a NUL byte, so this is a binary file (or UTF-16 without a byte-order mark),',
        this.#offset + nul,
      );
    const text = this.#decode(chunk, true);
    this.#offset += chunk.length;
    this.#held = Buffer.concat([this.#held, chunk]).subarray(-3);
    return text;
  }

  end(): string {
    return this.#decode(new Uint8Array(0), false);
  }

  #decode(chunk: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(chunk, { stream });
    } catch (cause) {
      const bytes = Buffer.concat([this.#held, chunk]);
      const start = this.#offset - this.#held.length;
      throw notText('an invalid byte', start + invalidUtf8Offset(bytes, start > 0), cause);
    }
  }
}

/** SHA-256, hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of a corpus: SHA-256 over the splits' SHA-256. */
export function corpusDigest(splitDigests: PerSplit<string>): string {
  return sha256(SPLIT_NAMES.map((split) => splitDigests[split]).join('\n'));
}

/**
 * Offset of the first sequence that is not UTF-8.
 * @param isRest the bytes may begin inside a character
 */
function invalidUtf8Offset(bytes: Uint8Array, isRest: boolean): number {
  let at = 0;
  while (isRest && at < 3 && (bytes[at]! & 0xc0) === 0x80) at++;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return bytes.length;
}

/** Bytes of the UTF-8 character at an offset; 0 = there is none. (RFC 3629, section 4) */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i] ?? 0) >> 6 !== 2) return 0;
  const second = bytes[at + 1] ?? 0;
  const isOverlongOrBeyond =
    (lead === 0xe0 && second < 0xa0) ||
    (lead === 0xed && second > 0x9f) ||
    (lead === 0xf0 && second < 0x90) ||
    (lead === 0xf4 && second > 0x8f);
  return isOverlongOrBeyond ? 0 : length;
}

function notText(reason: string, offset: number, cause?: unknown) {
  return appError('corpus-not-text', { reason, offset }, cause);
}
