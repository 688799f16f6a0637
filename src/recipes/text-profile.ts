/** Properties of a text that determine its recipe. */
export interface TextProfile {
  /** UTF-8 length of the train split. */
  readonly bytes: number;
  /** Mean UTF-8 length of a character. */
  readonly bytesPerCharacter: number;
  /** Distinct characters in the sample. */
  readonly distinctCharacters: number;
  /** Share of letters, except capitals, among characters that are not white space: high in prose and code, low in logs and tables. */
  readonly letterShare: number;
  /** Mean length of a non-empty line, in characters. */
  readonly charactersPerLine: number;
}

/** Maximum characters of a text that are profiled. */
export const PROFILE_CHARACTERS = 262_144;

/**
 * Profiles the beginning of a text.
 * @param text the train split, or its beginning
 * @param bytes UTF-8 length of the whole train split
 */
export function profileText(text: string, bytes: number): TextProfile {
  const sample = text.slice(0, PROFILE_CHARACTERS);
  const visible = sample.match(/\S/gu) ?? [];
  const letters = sample.match(/(?!\p{Lu})[\p{L}\p{M}]/gu) ?? [];
  const lines = sample.split(/\r\n|\r|\n/u).filter((line) => line !== '');
  const characters = [...sample];
  return {
    bytes,
    bytesPerCharacter: ratio(Buffer.byteLength(sample, 'utf8'), characters.length),
    distinctCharacters: new Set(characters).size,
    letterShare: ratio(letters.length, visible.length),
    charactersPerLine: ratio(sample.length, lines.length),
  };
}

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}
