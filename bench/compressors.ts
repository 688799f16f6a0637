import { execFileSync } from 'node:child_process';

const COMPRESSORS = {
  'gzip -9': ['gzip', '-9'],
  'xz -9e': ['xz', '-9e'],
  'bzip2 -9': ['bzip2', '-9'],
} as const;

/** Bits per byte of a text by a compressor. */
export interface CompressedSize {
  /** The text by itself. */
  readonly alone: number;
  /** What it adds behind the train split: size(train + text) − size(train). */
  readonly givenTrain: number;
}

/** What common compressors need for a test split; null for one that is not installed. */
export function compress(train: Buffer, test: Buffer): Record<string, CompressedSize | null> {
  const bitsPerByte = (bytes: number) => (8 * bytes) / test.length;
  return Object.fromEntries(
    Object.entries(COMPRESSORS).map(([name, command]) => {
      try {
        const alone = sizeBy(command, test);
        const given = sizeBy(command, Buffer.concat([train, test])) - sizeBy(command, train);
        return [name, { alone: bitsPerByte(alone), givenTrain: bitsPerByte(given) }];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [name, null];
        throw error;
      }
    }),
  );
}

function sizeBy([command, level]: readonly [string, string], input: Buffer): number {
  return execFileSync(command, [level, '-c'], { input, maxBuffer: 1 << 30 }).length;
}
