import type { PerSplit } from './corpus.js';

export interface SplitFractions {
  readonly valid: number;
  readonly test: number;
}

/** Cuts a text at fractions of its characters (code points): train first, then valid, then test. */
export function cutByCharacters(text: string, fractions: SplitFractions): PerSplit<string> {
  const total = countCodePoints(text);
  const validStart = Math.floor(total * (1 - fractions.valid - fractions.test) + ROUNDING);
  const testStart = Math.floor(total * (1 - fractions.test) + ROUNDING);
  const first = codePointOffset(text, validStart, 0);
  const second = codePointOffset(text, testStart - validStart, first);
  return { train: text.slice(0, first), valid: text.slice(first, second), test: text.slice(second) };
}

/** 1 − 0.05 − 0.05 is a little less than 0.9. */
const ROUNDING = 1e-6;

/**
 * Where in UTF-8 bytes a split should begin: at the first line after a target; where no line ends soon, after white
 * space; else at the next character.
 * @param window the bytes from the target on
 * @returns how many bytes of the window still belong to the split before
 */
export function nextCut(window: Uint8Array): number {
  const line = window.indexOf(0x0a);
  if (line >= 0) return line + 1;
  const space = window.indexOf(0x20);
  if (space >= 0) return space + 1;
  let at = 0;
  while (at < window.length && (window[at]! & 0xc0) === 0x80) at++;
  return at;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  return count;
}

/** UTF-16 offset of the code point that is `count` after the one at `from`. */
function codePointOffset(text: string, count: number, from: number): number {
  let at = from;
  for (let i = 0; i < count; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}
