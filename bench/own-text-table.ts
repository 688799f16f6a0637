import type { TextRow } from './own-text-record.js';

/** `auto` counts as good where it is at most so much above the best random recipe. */
const TOLERANCE = 0.05;

/** The record as Markdown: bits per byte of the test split. */
export function ownTextTable(rows: readonly TextRow[]): string {
  const header = [
    'text',
    'bytes',
    'time',
    'auto',
    'best of random',
    'char-rnn',
    'gzip -9',
    'xz -9e',
    'bzip2 -9',
  ];
  const lines = rows.map((row) => {
    const { text, bytes, budgetSeconds, auto, charRnn, compressors } = row;
    const best = bestRandom(row);
    const count = Object.keys(row.random).length;
    return [
      text,
      (bytes.train + bytes.valid + bytes.test).toLocaleString('en'),
      `${budgetSeconds} s`,
      figure(auto?.testBitsPerByte),
      best === null ? '–' : `${figure(best)} of ${count}`,
      figure(charRnn?.testBitsPerByte),
      ...['gzip -9', 'xz -9e', 'bzip2 -9'].map((name) => {
        const size = compressors[name];
        return size ? `${figure(size.alone)} / ${figure(size.givenTrain)}` : '–';
      }),
    ];
  });
  const table = [header, header.map((_, index) => (index === 0 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
  return `${table}\n\n${summary(rows)}`;
}

/** The test figure of the random recipe that is best on valid, since one would choose by that. */
function bestRandom({ random }: TextRow): number | null {
  const trained = Object.values(random);
  if (trained.length === 0) return null;
  return trained.reduce((a, b) => (b.validBitsPerByte < a.validBitsPerByte ? b : a)).testBitsPerByte;
}

function summary(rows: readonly TextRow[]): string {
  const compared = rows.flatMap((row) => {
    const best = bestRandom(row);
    return row.auto && best !== null ? [{ auto: row.auto.testBitsPerByte, best }] : [];
  });
  const good = compared.filter(({ auto, best }) => auto <= best * (1 + TOLERANCE)).length;
  return `auto is at most ${100 * TOLERANCE} % above the best random recipe on ${good} of ${compared.length} texts.`;
}

function figure(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2);
}
