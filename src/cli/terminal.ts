/** Terminal output: tables, sparklines, colours; plain text without a terminal or if NO_COLOR is set. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const BARS = '▁▂▃▄▅▆▇█';

/** Whether the output is a terminal and may use colours and bars. */
export function isColourful(stream: { readonly isTTY?: boolean } = process.stdout): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

export function paint(style: keyof typeof CODES, text: string): string {
  return isColourful() ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/** A table with columns as wide as their widest cell; numbers right-aligned. @param rows the first one is the heading */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  const isNumeric = widths.map((_, column) =>
    rows.slice(1).every((row) => /^[\d.,:–]*$/.test(row[column] ?? '')),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const fill = ' '.repeat(widths[column]! - width(cell));
        return isNumeric[column] && rows.length > 1 ? fill + cell : cell + fill;
      })
      .join('  ')
      .trimEnd(),
  );
  return [paint('bold', lines[0]!), ...lines.slice(1)].join('\n');
}

/** A curve in one line, scaled to the range of its values. */
export function sparkline(values: readonly (number | null)[], maxWidth = 40): string {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (known.length === 0) return '';
  const step = Math.max(1, known.length / maxWidth);
  const shown = Array.from(
    { length: Math.min(known.length, maxWidth) },
    (_, index) => known[Math.min(known.length - 1, Math.floor((index + 1) * step) - 1)]!,
  );
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const scale = high > low ? (BARS.length - 1) / (high - low) : 0;
  return shown.map((value) => BARS[Math.round((value - low) * scale)]).join('');
}

/** Width of a text in terminal cells: wide characters (East Asian, emoji) take two. */
function width(text: string): number {
  let cells = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text))
    cells +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        segment,
      )
        ? 2
        : 1;
  return cells;
}
