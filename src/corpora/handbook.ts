import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { SplitName } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import type { CorpusText } from './corpus.js';
import { mapSplits } from './encode-corpus.js';
import { corpusDigest, decodeUtf8, sha256 } from './text-bytes.js';

/** What the handbook is, without reading it. */
export const HANDBOOK = {
  name: 'handbook',
  description:
    'The English documentation of fastify, which comes with gatelm’s dependencies: Markdown and code',
  defaultPreTokenizer: 'prose',
} as const;

/** Where the documentation lies, and of which version it is; null when it is not installed. */
export function locateHandbook(): { folder: string; packageFile: string } | null {
  const require = createRequire(import.meta.url);
  try {
    const packageFile = require.resolve('fastify/package.json');
    const folder = join(dirname(packageFile), 'docs');
    return existsSync(folder) ? { folder, packageFile } : null;
  } catch {
    return null; // not installed
  }
}

/**
 * The embedded corpus: all Markdown files of fastify's `docs`, in the order of their paths (by code point, with `/`). Of each ten
 * files the first goes to test, the ninth to valid. The Markdown is left as it is, but for line ends (LF) and one line
 * feed at the end of each file.
 * @throws corpus-unavailable when fastify's documentation is not installed
 */
export async function readHandbook(): Promise<CorpusText> {
  const place = locateHandbook();
  if (!place) {
    const reason = 'fastify’s documentation (node_modules/fastify/docs) is not installed';
    throw appError('corpus-unavailable', { corpus: HANDBOOK.name, reason });
  }
  const { version } = JSON.parse(await readFile(place.packageFile, 'utf8')) as { version: string };
  const paths = (await readdir(place.folder, { recursive: true }))
    .filter((path) => path.endsWith('.md'))
    .map((path) => path.split(sep).join('/'))
    .sort();
  const parts: Record<SplitName, string[]> = { train: [], valid: [], test: [] };
  for (const [index, path] of paths.entries()) {
    const text = decodeUtf8(await readFile(join(place.folder, path)));
    parts[splitOf(index)].push(`${text.replaceAll('\r\n', '\n').trimEnd()}\n`);
  }
  const splits = mapSplits((split) => parts[split].join(''));
  return {
    id: HANDBOOK.name,
    name: HANDBOOK.name,
    splits,
    defaultPreTokenizer: HANDBOOK.defaultPreTokenizer,
    source: `documentation of fastify ${version} (${paths.length} files)`,
    digest: corpusDigest(mapSplits((split) => sha256(splits[split]))),
  };
}

function splitOf(index: number): SplitName {
  if (index % 10 === 0) return 'test';
  return index % 10 === 8 ? 'valid' : 'train';
}
