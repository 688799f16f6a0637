/** Tunes in ABC notation: whether one follows the syntax and keeps its time. Standard: abcnotation.com, version 2.1. */

/** The header lines of a tune, and its notes without comments. */
function partsOf(tune: string): { header: string; body: string } {
  const lines = tune.split('\n').map((line) => line.replace(/%.*$/, ''));
  const isField = (line: string) => /^[A-Za-z]:/.test(line);
  return {
    header: lines.filter(isField).join('\n'),
    body: lines.filter((line) => !isField(line)).join('\n'),
  };
}

const LENGTH = String.raw`\d*(?:\/+\d*)?`;
const SINGLE_NOTE = `[_^=]{0,2}[A-Ga-gxz][,']*${LENGTH}-?`;
/** What the body of a tune is made of; endings such as `|1` and `[2` belong to their bar line. */
const TOKENS = new RegExp(
  [
    String.raw`"[^"\n]*"|![\w.()+<>]+!`, // chord symbols, decorations
    String.raw`\[[A-Za-z]:[^\]\n]*\]`, // fields within a line
    String.raw`\{\/?(?:${SINGLE_NOTE})+\}`, // grace notes
    String.raw`\[(?:${SINGLE_NOTE})+\]${LENGTH}-?`, // chords
    SINGLE_NOTE,
    String.raw`\(\d(?::\d?){0,2}|[-()<>.~uv\\\s]`, // tuplets, slurs, broken rhythm, short decorations
    String.raw`:*\|+[:\]]*(?:\[?\d(?:[,-]\d)*)?|::+|\[\||\[ ?\d(?:[,-]\d)*`, // bar lines, endings
  ].join('|'),
  'g',
);

/** Whether a tune has a number, a meter, a key and at least one bar line, and nothing in it that is not ABC. */
export function followsSyntax(tune: string): boolean {
  const { header, body } = partsOf(tune);
  return (
    /^X: *\d/.test(header) &&
    /^M:/m.test(header) &&
    /^K:/m.test(header) &&
    body.includes('|') &&
    body.replace(TOKENS, '') === ''
  );
}

/** A length as a number of whole notes. */
function fraction(text: string): number {
  const [top = 1, bottom = 1] = text.split('/').map(Number);
  return top / bottom;
}

/** The value of a field such as `M:6/8`, the last one in the tune. */
function field(tune: string, letter: string): string | null {
  return [...tune.matchAll(new RegExp(`^${letter}: *(\\S+)`, 'gm'))].at(-1)?.[1] ?? null;
}

const NOTE = /\((\d)|[_^=]*[A-Ga-gxz][,']*(\d*)(\/*)(\d*)/g;

/** How long a bar is, in unit lengths: `A2`, `B/2`, `c//`, `(3abc`. */
export function barLength(bar: string): number {
  let length = 0;
  let inTuplet = 0;
  let tuplet = 1;
  for (const [, size, top, slashes, bottom] of bar.matchAll(NOTE)) {
    if (size !== undefined) {
      inTuplet = Number(size);
      tuplet = size === '3' ? 2 / 3 : size === '2' ? 3 / 2 : 1;
      continue;
    }
    const divisor = slashes === '' ? 1 : bottom === '' ? 2 ** slashes!.length : Number(bottom);
    length += (Number(top || 1) / divisor) * (inTuplet-- > 0 ? tuplet : 1);
  }
  return length;
}

/** How many bars a tune has, and how many of them are as long as its meter says. Pick-ups and last bars of a part do not count. */
export function keepsTime(tune: string): { bars: number; right: number } {
  const meter = field(tune, 'M');
  const unit = fraction(field(tune, 'L') ?? '1/8');
  const body = partsOf(tune)
    .body.replaceAll('\n', ' ')
    .replace(/"[^"]*"|\{[^}]*\}|![^!]*!/g, '');
  if (meter === null || !/^\d+\/\d+$/.test(meter)) return { bars: 0, right: 0 };
  const expected = fraction(meter) / unit;
  const lengths = body
    .split(/[|:[\]]+\d?/)
    .map(barLength)
    .filter((length) => length > 0);
  const inner = lengths.slice(1, -1);
  const right = inner.filter((length) => Math.abs(length - expected) < 1e-6).length;
  return { bars: inner.length, right };
}
