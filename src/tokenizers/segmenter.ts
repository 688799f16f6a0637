/**
 * Splits text into the units of a vocabulary of words or characters, without changing them: between two units there is only
 * white space. A line feed is a separate unit, the end of a line.
 *
 * - whitespace: units separated by white space, as in PTB and WikiText-2.
 * - prose: words and punctuation, see {@link PROSE_PATTERN}.
 * - prose-without-clusters: prose without grapheme clusters, as in earlier versions; can be read, is no longer created.
 * - character: each Unicode code point.
 *
 * Each has an equivalent in the regular expressions of Hugging Face's tokenizers, see word-patterns.ts.
 */
import { PROSE_PATTERN, PROSE_PATTERN_WITHOUT_CLUSTERS } from './word-patterns.js';

export type SegmenterName = 'whitespace' | 'prose' | 'prose-without-clusters' | 'character';

/** Called for each unit: it is `text.slice(start, end)`. */
export type VisitSegment = (start: number, end: number) => void;

/** Visits all units of a text, line feeds included, in order. */
export function forEachSegment(segmenter: SegmenterName, text: string, visit: VisitSegment): void {
  switch (segmenter) {
    case 'whitespace':
      forEachWord(text, visit);
      break;
    case 'prose':
      forEachMatch(text, PROSE_OR_LINE, visit);
      break;
    case 'prose-without-clusters':
      forEachMatch(text, PROSE_WITHOUT_CLUSTERS_OR_LINE, visit);
      break;
    case 'character':
      forEachCodePoint(text, visit);
      break;
    default:
      segmenter satisfies never;
  }
}

const PROSE_OR_LINE = new RegExp(`\\n|${PROSE_PATTERN}`, 'gu');
const PROSE_WITHOUT_CLUSTERS_OR_LINE = new RegExp(`\\n|${PROSE_PATTERN_WITHOUT_CLUSTERS}`, 'gu');

/** The end of the last white space of a text, which no word contains; 0 = there is none. */
export function afterLastWhiteSpace(text: string): number {
  for (let end = text.length; end > 0; end--) if (isWhiteSpace(text.charCodeAt(end - 1))) return end;
  return 0;
}

function forEachWord(text: string, visit: VisitSegment): void {
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isWhiteSpace(code)) {
      if (start < 0) start = i;
      continue;
    }
    if (start >= 0) visit(start, i);
    start = -1;
    if (code === 10) visit(i, i + 1);
  }
  if (start >= 0) visit(start, text.length);
}

function forEachMatch(text: string, pattern: RegExp, visit: VisitSegment): void {
  for (const match of text.matchAll(pattern)) visit(match.index, match.index + match[0].length);
}

function forEachCodePoint(text: string, visit: VisitSegment): void {
  for (let i = 0; i < text.length; ) {
    const start = i;
    i += text.codePointAt(i)! > 0xffff ? 2 : 1;
    visit(start, i);
  }
}

/** Unicode's White_Space property, the same as Rust's `char::is_whitespace` (JavaScript's `\s` differs in two characters). */
export function isWhiteSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 9 && code <= 13);
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
