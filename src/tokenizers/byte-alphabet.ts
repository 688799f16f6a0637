/**
 * GPT-2's byte alphabet: each of the 256 bytes as one printable character, so that byte-pair tokens are strings.
 * Printable Latin-1 bytes map to themselves, the other 68 bytes to U+0100 onwards, in ascending order (a space is `Ġ`).
 */
const PRINTABLE = [range(0x21, 0x7e), range(0xa1, 0xac), range(0xae, 0xff)].flat();
const OTHERS = range(0, 255).filter((byte) => !PRINTABLE.includes(byte));

/** The bytes in GPT-2's order of ids: printable ones first. */
export const BYTE_ORDER: readonly number[] = [...PRINTABLE, ...OTHERS];

/** The character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = range(0, 255).map((byte) =>
  String.fromCharCode(PRINTABLE.includes(byte) ? byte : 0x100 + OTHERS.indexOf(byte)),
);

const BYTE_BY_CHARACTER = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** Encodes bytes in the byte alphabet. */
export function spellBytes(bytes: Uint8Array): string {
  let spelled = '';
  for (const byte of bytes) spelled += BYTE_CHARACTERS[byte]!;
  return spelled;
}

/** Decodes a string of the byte alphabet; null when it contains any other character. */
export function readSpelledBytes(token: string): Uint8Array | null {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_BY_CHARACTER.get(token[i]!);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
