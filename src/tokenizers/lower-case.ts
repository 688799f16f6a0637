import { IdList } from './id-list.js';

/** Lower case, one code point after another: no rule looks at neighbours, as in Hugging Face's `Lowercase`. */
export function toLowerCase(text: string): string {
  return text.replace(/[A-Z]+|[^\0-\x7f]/gu, (part) => part.toLowerCase());
}

/**
 * For each byte of the text in lower case, the bytes of the text itself that it comes from: the same one, or where the
 * character has another length in lower case, all bytes of that character.
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
