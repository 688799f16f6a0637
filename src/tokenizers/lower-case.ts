import { IdList } from './id-list.js';

/** Lower case of each code point, independent of context, as in Hugging Face's `Lowercase`. */
export function toLowerCase(text: string): string {
  return text.replace(/[A-Z]+|[^\0-\x7f]/gu, (part) => part.toLowerCase());
}

/**
 * Maps each byte of the lower-cased text to the bytes of the original text: the same one, or, where lower case changes the
 * length of a character, all bytes of that character.
 */
export function lowerCaseByteMap(text: string): { starts: Int32Array; ends: Int32Array } {
  const [starts, ends] = [new IdList(text.length), new IdList(text.length)];
  let at = 0;
  for (const character of text) {
    const length = Buffer.byteLength(character, 'utf8');
    const lowerLength = Buffer.byteLength(character.toLowerCase(), 'utf8');
    for (let i = 0; i < lowerLength; i++) {
      starts.push(lowerLength === length ? at + i : at);
      ends.push(lowerLength === length ? at + i + 1 : at + length);
    }
    at += length;
  }
  return { starts: starts.take(), ends: ends.take() };
}
