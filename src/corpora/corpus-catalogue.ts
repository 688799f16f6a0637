/** Lists and describes the available corpora. */
import {
  type CorpusInfo,
  type CorpusPreview,
  type SplitName,
  type SplitStatistics,
  type StoredCorpusManifest,
  TokenizerConfig,
} from '../contracts/corpus.js';
import { appError } from '../errors.js';
import type { CorpusSource } from './corpus-source.js';
import { HANDBOOK, locateHandbook } from './handbook.js';
import { filesOf, findKnownCorpus, KNOWN_CORPORA, type KnownCorpus } from './known-corpora.js';
import { isKnownCorpusHere } from './known-corpus-text.js';
import { corpusNotFound, loadCorpus, readCorpusText } from './load-corpus.js';
import { findStoredCorpus, listStoredCorpora, readStoredBeginning } from './uploaded-corpora.js';

/** All corpora: the embedded one, the known ones, the uploaded ones (newest first). Downloads nothing. */
export async function listCorpora(source: CorpusSource): Promise<CorpusInfo[]> {
  const stored = await listStoredCorpora(source.dataDirectory);
  return [
    await describeHandbook(source),
    ...KNOWN_CORPORA.map((corpus) => describeKnown(corpus, source)),
    ...stored.map(describeStored),
  ];
}

/**
 * One corpus by id or name.
 * @throws corpus-not-found
 */
export async function describeCorpus(corpus: string, source: CorpusSource): Promise<CorpusInfo> {
  if (corpus === HANDBOOK.name) return describeHandbook(source);
  const known = findKnownCorpus(corpus);
  if (known) return describeKnown(known, source);
  const stored = await findStoredCorpus(source.dataDirectory, corpus);
  if (stored) return describeStored(stored);
  throw await corpusNotFound(corpus, source);
}

/**
 * The beginning of a split.
 * @param characters maximum number of UTF-16 code units
 * @throws corpus-not-found, corpus-unavailable when a known corpus was not downloaded yet
 */
export async function previewCorpus(
  corpus: string,
  source: CorpusSource,
  options: { readonly split: SplitName; readonly characters: number },
): Promise<CorpusPreview> {
  const { id, available, kind } = await describeCorpus(corpus, source);
  const { split, characters } = options;
  if (!available) throw appError('corpus-unavailable', { corpus, reason: 'it was not downloaded yet' });
  if (kind === 'uploaded') {
    const bytes = await readStoredBeginning(source.dataDirectory, id, split, characters * 4 + 1);
    return cutPreview(id, split, new TextDecoder().decode(bytes, { stream: true }), characters);
  }
  const { splits } = await readCorpusText(id, source);
  return cutPreview(id, split, splits[split], characters);
}

function cutPreview(id: string, split: SplitName, text: string, characters: number): CorpusPreview {
  const cut = text.slice(0, characters);
  const isInsidePair = /[\ud800-\udbff]$/.test(cut);
  return { id, split, text: isInsidePair ? cut.slice(0, -1) : cut, truncated: text.length > cut.length };
}

async function describeHandbook(source: CorpusSource): Promise<CorpusInfo> {
  const { name, description, defaultPreTokenizer } = HANDBOOK;
  const frame = {
    id: name,
    name,
    kind: 'embedded',
    description,
    defaultPreTokenizer,
    createdAt: null,
    ...NO_UPLOAD,
  } as const;
  if (!locateHandbook()) {
    return { ...frame, source: 'fastify', available: false, digest: null, ...figures(null, null) };
  }
  const tokenizer = TokenizerConfig.parse({ type: 'word' });
  const corpus = await loadCorpus({ ...source, corpus: name, tokenizer });
  const { digest, statistics, vocabulary } = corpus;
  return {
    ...frame,
    source: corpus.source,
    available: true,
    digest,
    ...figures(statistics, vocabulary.size),
  };
}

function describeKnown(corpus: KnownCorpus, source: CorpusSource): CorpusInfo {
  const { name, description, defaultPreTokenizer, statistics, types, digest } = corpus;
  return {
    id: name,
    name,
    kind: 'known',
    description,
    source: corpus.source,
    available: isKnownCorpusHere(corpus, source),
    defaultPreTokenizer,
    digest,
    createdAt: null,
    ...NO_UPLOAD,
    ...figures(statistics, types),
    bytes: filesOf(corpus).reduce((sum, file) => sum + file.bytes, 0),
  };
}

function describeStored(manifest: StoredCorpusManifest): CorpusInfo {
  const { id, name, digest, createdAt, statistics, types, splitBy, defaultPreTokenizer } = manifest;
  const { documents, characters, duplicates, skippedFiles } = manifest;
  return {
    id,
    name,
    kind: 'uploaded',
    description: `Uploaded text: ${SPLIT_DESCRIPTIONS[splitBy]}`,
    source: 'upload',
    available: true,
    defaultPreTokenizer,
    digest,
    createdAt,
    ...figures(statistics, types),
    splitBy,
    documents,
    characters,
    duplicates,
    skippedFiles,
  };
}

const SPLIT_DESCRIPTIONS: Readonly<Record<StoredCorpusManifest['splitBy'], string>> = {
  files: 'one file per split',
  blocks: 'one text, with valid and test as blocks spread over it',
  tail: 'one text, with valid and test at its end',
};

/** Of what was not uploaded. */
const NO_UPLOAD = {
  splitBy: null,
  documents: null,
  characters: null,
  duplicates: null,
  skippedFiles: [] as string[],
};

function figures(statistics: SplitStatistics | null, types: number | null) {
  if (statistics === null) return { bytes: null, tokens: null, types, statistics };
  const { train, valid, test } = statistics;
  const total = (key: 'bytes' | 'tokens') => train[key] + valid[key] + test[key];
  return { bytes: total('bytes'), tokens: total('tokens'), types, statistics };
}
