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
  const variations = variationsOf(rows);
  return [
    markdown(header, lines),
    summary(rows),
    ...(variations.length > 0 ? [markdown(VARIATION_HEADER, variations)] : []),
  ].join('\n\n');
}

const VARIATION_HEADER = [
  'auto with',
  'trainings',
  'better',
  'bits per byte ÷ those of auto, mean',
  'from … to',
];

/** What settings change against auto's own, on the same text with the same seed. */
function variationsOf(rows: readonly TextRow[]): string[][] {
  const changes = new Set(rows.flatMap(({ varied }) => Object.keys(varied ?? {})));
  return [...changes].map((change) => {
    const ratios = rows.flatMap(({ auto, varied }) => {
      const trained = varied?.[change];
      return auto && trained ? [trained.testBitsPerByte / auto.testBitsPerByte] : [];
    });
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    const ends = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(3));
    const better = ratios.filter((ratio) => ratio < 1).length;
    return [`\`${change}\``, `${ratios.length}`, `${better}`, mean.toFixed(3), ends.join(' … ')];
  });
}

function markdown(header: readonly string[], lines: readonly string[][]): string {
  const alignment = header.map((_, index) => (index === 0 ? '---' : '---:'));
  return [header, alignment, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
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
