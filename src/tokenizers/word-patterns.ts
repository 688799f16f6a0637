/**
 * Definitions of words as regular expressions in the common syntax of JavaScript (flag `u`) and Oniguruma (Hugging Face's
 * tokenizers). Characters for which one of the two has no escape are written literally.
 */

const LETTER = '\\p{L}\\p{N}_';
/** Characters that extend the preceding one (Grapheme_Cluster_Break Extend, SpacingMark and ZWJ), for use in a class. */
const EXTEND = '\\p{M}\u200c\u200d\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}';
/** Characters that attach to the following one (Grapheme_Cluster_Break Prepend), except letters, for use in a class. */
const PREPEND = '\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}';
/** Scripts that are written without spaces between words: Han, kana, Thai, Lao, Myanmar, Khmer; for use in a class. */
const UNSPACED =
  '\u3005-\u3007\u3041-\u309f\u30a0-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u{1b000}-\u{1b16f}\u{20000}-\u{323af}\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff';

/** A run of one character that is neither a letter nor white space, with the extending characters of the last one. */
const OTHER = `([^\\p{White_Space}${LETTER}])\\1*[${EXTEND}]*`;
/** Grapheme clusters that do not begin with a letter: flags, single or joined pictographs, characters with a prefix. */
const CLUSTER = [
  `[${PREPEND}]*[\u{1f1e6}-\u{1f1ff}]{2}[${EXTEND}]*`,
  `[${PREPEND}]*\\p{Extended_Pictographic}[${EXTEND}]*(?:(?<=\u200d)\\p{Extended_Pictographic}[${EXTEND}]*)*`,
  `[${PREPEND}]+[^\\p{White_Space}${LETTER}${EXTEND}${PREPEND}][${EXTEND}]*`,
].join('|');
/** Pairs of punctuation that belong together. */
const PAIR = `(?:=>|://|\\]\\(|!==?)[${EXTEND}]*`;

const word = (first: string, next: string) => `${first}${next}*(?:['’.-]${first}${next}*)*`;

/**
 * A unit of prose: words (with characters that join letters: `don't`, `content-type`, `reply.send`), grapheme clusters, a few
 * pairs (`=>`, `://`, `](`, `!=`, `!==`), and each run of one other character (`...`, ```` ``` ````). `<unk>` and `<eos>`
 * come first, so that decoded text is tokenized to the same ids.
 */
export const PROSE_PATTERN = [
  `<(?:unk|eos)>(?![${EXTEND}])`,
  CLUSTER,
  word(`[${PREPEND}]*[${LETTER}]`, `[${LETTER}${EXTEND}]`),
  PAIR,
  OTHER,
].join('|');

const SPACED = `[${PREPEND}]*(?![${UNSPACED}])[${LETTER}]`;
/**
 * A piece of text in lossless words. Each character of a text is in one piece: a line feed; other white space; or a unit as
 * in prose, with one preceding space. In scripts without spaces each character is a word.
 */
export const LOSSLESS_PATTERN = [
  `(?:(?<!\\p{White_Space}) )?(?:${[
    CLUSTER,
    `[${PREPEND}]*[${UNSPACED}][${EXTEND}]*`,
    word(SPACED, `(?:(?![${UNSPACED}])[${LETTER}${EXTEND}])`),
    PAIR,
    OTHER,
  ].join('|')})`,
  '\\n',
  '[^\\P{White_Space}\\n]+',
].join('|');

/** {@link PROSE_PATTERN} of earlier versions: it splits emoji of several code points. */
export const PROSE_PATTERN_WITHOUT_CLUSTERS = (() => {
  const first = `[${LETTER}]`;
  const whole = `${first}[${LETTER}\\p{M}]*`;
  return `<unk>|<eos>|${whole}(?:['’.-]${whole})*|=>|://|\\]\\(|!==?|([^\\p{White_Space}${LETTER}])\\1*\\p{M}*`;
})();
