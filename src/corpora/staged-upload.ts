import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CorpusUpload, SplitName, StoredCorpusManifest } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import { diskError } from '../files/disk-error.js';
import { CORPUS_MANIFEST } from '../files/layout.js';
import { type PerSplit, SPLIT_NAMES } from './corpus.js';
import { mapSplits } from './encode-corpus.js';
import { nextCut } from './split-text.js';
import { corpusDigest, TextReader } from './text-bytes.js';
import { measureTextFiles } from './text-file-statistics.js';
import { newCorpusId, publishCorpus, storedCorporaFolder } from './uploaded-corpora.js';

/** Bytes, as a stream gives them. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** How far after a fraction a line end is looked for, in bytes. */
const CUT_WINDOW_BYTES = 64 * 1024;

/**
 * An upload under way: its files are written into a hidden folder beside the corpora, checked as they come, and get
 * their place with {@link publish} in one step. Whoever begins one ends it with `publish` or `discard`.
 */
export class StagedUpload {
  readonly #dataDirectory: string;
  readonly #id: string;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #files = new Map<SplitName | 'whole', WrittenFile>();
  #receivedBytes = 0;

  private constructor(dataDirectory: string, maxBytes: number) {
    this.#dataDirectory = dataDirectory;
    this.#maxBytes = maxBytes;
    this.#id = newCorpusId();
    this.#folder = join(storedCorporaFolder(dataDirectory), `.upload-${this.#id}`);
  }

  /** @param maxBytes most bytes of all files together */
  static async begin(dataDirectory: string, maxBytes: number): Promise<StagedUpload> {
    await removeAbandonedUploads(storedCorporaFolder(dataDirectory));
    const upload = new StagedUpload(dataDirectory, maxBytes);
    await mkdir(upload.#folder, { recursive: true });
    return upload;
  }

  /**
   * Takes one file of the upload, as it comes: the text of a split, or the whole text, which is cut when published.
   * @throws corpus-not-text, body-too-large, bad-request when the file came before, out-of-disk, write-failed
   */
  async receive(part: SplitName | 'whole', source: ByteSource): Promise<void> {
    if (this.#files.has(part)) throw appError('bad-request', { reason: `The file "${part}" came twice` });
    const file = await HashedFile.create(join(this.#folder, `${part}.txt`));
    try {
      const reader = new TextReader();
      for await (const chunk of source) {
        this.#receivedBytes += chunk.length;
        if (this.#receivedBytes > this.#maxBytes) throw appError('body-too-large', { limit: this.#maxBytes });
        await file.write(Buffer.from(reader.push(chunk), 'utf8'));
      }
      await file.write(Buffer.from(reader.end(), 'utf8'));
      this.#files.set(part, await file.finish());
    } finally {
      await file.close();
    }
  }

  /**
   * Cuts, counts and stores what came.
   * @throws bad-request when files are missing, corpus-too-short, corpus-exists
   */
  async publish(fields: CorpusUpload): Promise<StoredCorpusManifest> {
    const splitBy = this.#files.has('whole') ? 'fractions' : 'files';
    const files = splitBy === 'fractions' ? await this.#cutWhole(fields) : this.#separateFiles();
    const paths = mapSplits((split) => this.#path(split));
    const { statistics, types } = await measureTextFiles(paths);
    for (const split of SPLIT_NAMES) {
      const { tokens } = statistics[split];
      if (tokens < 2) throw appError('corpus-too-short', { split, tokens, least: 2, why: ' in each split' });
    }
    const manifest: StoredCorpusManifest = {
      version: 1,
      id: this.#id,
      name: fields.name,
      createdAt: new Date().toISOString(),
      splitBy,
      files,
      statistics,
      types,
      digest: corpusDigest(mapSplits((split) => files[split].sha256)),
    };
    const file = await HashedFile.create(join(this.#folder, CORPUS_MANIFEST));
    await file.write(Buffer.from(JSON.stringify(manifest, null, 2)));
    await file.finish();
    await file.close();
    publishCorpus(this.#dataDirectory, this.#folder, manifest);
    return manifest;
  }

  /** Removes what came; nothing happens when it is published. */
  async discard(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #path(part: SplitName | 'whole'): string {
    return join(this.#folder, `${part}.txt`);
  }

  #separateFiles(): PerSplit<WrittenFile> {
    return mapSplits((split) => {
      const file = this.#files.get(split);
      if (file) return file;
      const came = [...this.#files.keys()].join(', ') || 'none';
      throw appError('bad-request', {
        reason: `A corpus needs one file "file", or the three files "train", "valid" and "test"; came: ${came}`,
      });
    });
  }

  async #cutWhole(fields: CorpusUpload): Promise<PerSplit<WrittenFile>> {
    if (this.#files.size > 1) {
      throw appError('bad-request', {
        reason: 'Send one whole text, or the files of the three splits, not both',
      });
    }
    const { validFraction, testFraction } = fields;
    if (validFraction + testFraction >= 1) {
      throw appError('bad-request', { reason: 'validFraction + testFraction must be less than 1' });
    }
    const { bytes } = this.#files.get('whole')!;
    const first = await this.#cutAfter(Math.floor(bytes * (1 - validFraction - testFraction)), bytes);
    const second = await this.#cutAfter(Math.max(first, Math.floor(bytes * (1 - testFraction))), bytes);
    const files = {
      train: await this.#copyRange('train', 0, first),
      valid: await this.#copyRange('valid', first, second),
      test: await this.#copyRange('test', second, bytes),
    };
    await rm(this.#path('whole'));
    return files;
  }

  async #cutAfter(target: number, end: number): Promise<number> {
    const window: Uint8Array[] = [];
    const last = Math.min(end, target + CUT_WINDOW_BYTES) - 1;
    if (last < target) return end;
    for await (const chunk of createReadStream(this.#path('whole'), { start: target, end: last }))
      window.push(chunk);
    return target + nextCut(Buffer.concat(window));
  }

  async #copyRange(split: SplitName, start: number, end: number): Promise<WrittenFile> {
    const file = await HashedFile.create(this.#path(split));
    try {
      if (end > start) {
        const range = createReadStream(this.#path('whole'), { start, end: end - 1 });
        for await (const chunk of range) await file.write(chunk);
      }
      return await file.finish();
    } finally {
      await file.close();
    }
  }
}

/** A new file whose length and SHA-256 are known when it is finished, and flushed to the disk. */
class HashedFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<HashedFile> {
    return new HashedFile(path, await open(path, 'wx'));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.appendFile(bytes).catch((error) => {
      throw diskError(this.#path, error);
    });
  }

  async finish(): Promise<WrittenFile> {
    await this.#file.sync();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Uploads that a server which is gone left behind. */
async function removeAbandonedUploads(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((entry) => /^\.(upload|removed)-/.test(entry))) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}
