import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appError } from '../errors.js';
import { DOWNLOADS } from '../files/layout.js';
import type { CorpusText, PerSplit } from './corpus.js';
import type { CorpusSource } from './corpus-source.js';
import { download } from './download.js';
import { mapSplits } from './encode-corpus.js';
import { filesOf, type KnownCorpus, type KnownFile } from './known-corpora.js';
import { cutByCharacters } from './split-text.js';
import { corpusDigest, decodeUtf8, sha256 } from './text-bytes.js';

/**
 * The text of a downloadable corpus. Each file is looked for in the mirror folder, then in the data folder, then
 * downloaded: from the mirror's address, then from the original ones. A copy with a wrong checksum is passed over.
 * @throws corpus-unavailable, with what was tried
 */
export async function readKnownCorpus(corpus: KnownCorpus, source: CorpusSource): Promise<CorpusText> {
  const splits = await readSplits(corpus, source);
  return {
    id: corpus.name,
    name: corpus.name,
    splits,
    defaultPreTokenizer: corpus.defaultPreTokenizer,
    source: corpus.source,
    digest: corpusDigest(mapSplits((split) => sha256(splits[split]))),
  };
}

/** Whether all files are on this machine; their sums are not looked at. */
export function isKnownCorpusHere(corpus: KnownCorpus, source: CorpusSource): boolean {
  return filesOf(corpus).every((file) => localPaths(file, source).some((path) => existsSync(path)));
}

async function readSplits(corpus: KnownCorpus, source: CorpusSource): Promise<PerSplit<string>> {
  const { files } = corpus;
  const read = async (file: KnownFile) => decodeUtf8(await readKnownFile(corpus.name, file, source));
  if ('whole' in files) return cutByCharacters(await read(files.whole), { valid: 0.05, test: 0.05 });
  return { train: await read(files.train), valid: await read(files.valid), test: await read(files.test) };
}

/** Downloads of this thread that are under way, by destination: who comes second waits for the first. */
const underWay = new Map<string, Promise<readonly string[] | null>>();

async function readKnownFile(corpus: string, file: KnownFile, source: CorpusSource): Promise<Uint8Array> {
  const tried: string[] = [];
  const local = await readLocalCopy(file, source, tried);
  if (local) return local;

  const destination = downloadPath(file, source);
  const { mirror } = source;
  const addresses = isAddress(mirror) ? [`${mirror.replace(/\/+$/, '')}/${file.path}`] : [];
  const request = { ...file, file: file.path, addresses: [...addresses, ...file.addresses], destination };
  const running = underWay.get(destination) ?? download({ ...request, onProgress: source.onProgress });
  underWay.set(destination, running);
  const failures = await running.finally(() => underWay.delete(destination));
  if (failures === null) {
    const downloaded = await readLocalCopy(file, source, tried);
    if (downloaded) return downloaded;
  }
  tried.push(...(failures ?? []));
  const reason = `${file.path} is not available. Tried: ${tried.join('; ')}`;
  throw appError('corpus-unavailable', { corpus, reason });
}

async function readLocalCopy(
  file: KnownFile,
  source: CorpusSource,
  tried: string[],
): Promise<Uint8Array | null> {
  for (const path of localPaths(file, source)) {
    if (!existsSync(path)) {
      tried.push(`${path}: not there`);
      continue;
    }
    const bytes = await readFile(path);
    const actual = sha256(bytes);
    if (actual === file.sha256) return bytes;
    tried.push(`${path}: SHA-256 is ${actual}, expected ${file.sha256}`);
  }
  return null;
}

function localPaths(file: KnownFile, source: CorpusSource): string[] {
  const { mirror } = source;
  const inMirror = mirror && !isAddress(mirror) ? [join(mirror, file.path)] : [];
  return [...inMirror, downloadPath(file, source)];
}

function downloadPath(file: KnownFile, source: CorpusSource): string {
  return join(source.dataDirectory, DOWNLOADS, file.path);
}

function isAddress(mirror: string | null | undefined): mirror is string {
  return /^https?:\/\//i.test(mirror ?? '');
}
