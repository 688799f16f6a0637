/** The texts that own-text.ts tries, of many kinds and sizes: from the corpora of the mirror, from this repository, or made. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomSource, uniform } from '../src/tensor/random.js';

export interface OwnText {
  readonly name: string;
  readonly about: string;
  /** Null where it is not on this machine. */
  read(): string | null;
}

const MIRROR = process.env.GATELM_CORPORA_MIRROR ?? '';
const SEED = 1;
/** Apart from the streams of src/tensor/random.ts. */
const STREAM = 100;

export const OWN_TEXTS: readonly OwnText[] = [
  ofMirror('shakespeare', 'tiny Shakespeare', 'tinyshakespeare/input.txt'),
  ofMirror('shakespeare-100k', 'its first 100 kB', 'tinyshakespeare/input.txt', 100_000),
  ofMirror('shakespeare-20k', 'its first 20 kB', 'tinyshakespeare/input.txt', 20_000),
  ofMirror('wikitext', 'WikiText-2, train', 'wikitext-2/wiki.train.tokens'),
  ofMirror(
    'news',
    'PTB, train, the first MB: lower case, rare words as <unk>',
    'ptb/ptb.train.txt',
    1_000_000,
  ),
  ofMirror('jigs', 'jigs in ABC notation', 'texts/jigs.abc'),
  ofMirror('names', 'given names, sorted', 'texts/names.txt'),
  ofMirror('supercomputer-log', 'log of a Blue Gene/L', 'texts/bgl_2k.log'),
  ofMirror('ssh-log', 'log of an SSH server', 'texts/openssh_2k.log'),
  {
    name: 'japanese',
    about: 'docs/chapter.ja.md of this repository: Japanese, with code',
    read: () => textOf('docs/chapter.ja.md'),
  },
  {
    name: 'readmes',
    about: 'READMEs of node_modules, the first 500 kB',
    read: () => joined('node_modules', (path) => /^[^/]+\/README\.md$/i.test(path), 500_000),
  },
  {
    name: 'typescript',
    about: 'TypeScript: src of this repository, the first MB',
    read: () => joined('src', (path) => path.endsWith('.ts'), 1_000_000),
  },
  {
    name: 'c++',
    about: 'C++: native of this repository',
    read: () => joined('native', (path) => /^(?!build).*\.(cc|h)$/.test(path), 1_000_000),
  },
  { name: 'sensors', about: 'sensor readings in CSV, made', read: makeReadings },
  { name: 'dna', about: 'DNA, made: a Markov chain with repeats', read: makeDna },
];

function ofMirror(name: string, about: string, path: string, bytes = Number.POSITIVE_INFINITY): OwnText {
  return { name, about, read: () => textOf(join(MIRROR, path), bytes) };
}

/** The beginning of a file, in whole lines. */
function textOf(path: string, bytes = Number.POSITIVE_INFINITY): string | null {
  if (!existsSync(path)) return null;
  return beginningOf(readFileSync(path, 'utf8'), bytes);
}

function beginningOf(text: string, characters: number): string {
  return text.length <= characters ? text : text.slice(0, text.lastIndexOf('\n', characters) + 1);
}

/** Files of a folder one after another, in the order of their names. */
function joined(folder: string, accepts: (path: string) => boolean, characters: number): string | null {
  if (!existsSync(folder)) return null;
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(accepts).sort();
  const text = paths.map((path) => readFileSync(join(folder, path), 'utf8')).join('\n');
  return beginningOf(text.replaceAll(/\p{Surrogate}/gu, ''), characters);
}

/** One reading a minute of five sensors in turn: time, sensor, temperature and humidity with a daily rhythm. */
function makeReadings(): string {
  const count = 10_000;
  const noise = uniform(2 * count, new RandomSource(SEED, STREAM).next(), -1, 1);
  const lines = ['time,sensor,temperature,humidity'];
  for (let minute = 0; minute < count; minute++) {
    const time = new Date(Date.UTC(2025, 0, 1) + minute * 60_000).toISOString().slice(0, 19);
    const warmth = Math.sin((2 * Math.PI * (minute - 540)) / 1440);
    const temperature = 18 + (minute % 5) + 5 * warmth + noise[2 * minute]!;
    const humidity = 55 - 12 * warmth + 3 * noise[2 * minute + 1]!;
    lines.push(`${time},s${minute % 5},${temperature.toFixed(1)},${humidity.toFixed(0)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** 200,000 bases: the next depends on the last three; now and then a stretch is repeated with changes. Lines of 70. */
function makeDna(): string {
  const length = 200_000;
  const source = new RandomSource(SEED, STREAM + 1);
  const preferences = uniform(4 ** 3 * 4, source.next(), 0.2, 1);
  const draws = uniform(3 * length, source.next(), 0, 1);
  let at = 0;
  const next = () => draws[at++ % draws.length]!;
  const bases: number[] = [0, 1, 2];
  while (bases.length < length) {
    if (bases.length > 5000 && next() < 0.001) {
      const from = Math.floor(next() * (bases.length - 1000));
      for (const base of bases.slice(from, from + 200 + Math.floor(800 * next())))
        bases.push(next() < 0.03 ? Math.floor(4 * next()) : base);
      continue;
    }
    const [a, b, c] = bases.slice(-3) as [number, number, number];
    const weights = preferences.subarray((a * 16 + b * 4 + c) * 4).slice(0, 4);
    let rest = next() * weights.reduce((sum, weight) => sum + weight, 0);
    const base = weights.findIndex((weight) => {
      rest -= weight;
      return rest <= 0;
    });
    bases.push(base < 0 ? 3 : base);
  }
  const text = bases
    .slice(0, length)
    .map((base) => 'ACGT'[base])
    .join('');
  return `${text.replaceAll(/.{70}/g, '$&\n')}\n`;
}
