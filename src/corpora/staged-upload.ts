import { existsSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CorpusUpload,
  type CorpusUploadInput,
  type SplitName,
  type StoredCorpusManifest,
} from '../contracts/corpus.js';
import { appError } from '../errors.js';
import { CORPUS_MANIFEST } from '../files/layout.js';
import { type PerSplit, SPLIT_NAMES } from './corpus.js';
import { mapSplits } from './encode-corpus.js';
import { HashedFile, type WrittenFile } from './hashed-file.js';
import { cutBlocks, cutTail, type SplitRange } from './split-text.js';
import { corpusDigest } from './text-bytes.js';
import { measureTextFiles } from './text-file-statistics.js';
import { isPlainText, type ReceivedFile, readDocuments } from './upload-documents.js';
import { newCorpusId, publishCorpus, storedCorporaFolder } from './uploaded-corpora.js';

/** Bytes, as a stream gives them. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
/** What a file of an upload is: the text of a split, or a part of the whole text. */
export type UploadPart = SplitName | 'whole';

/** Folders of uploads and deletions under way. */
const STAGED = /^\.(upload|removed)-/;
const DAY_MS = 24 * 60 * 60 * 1000;
const COPY_BYTES = 1024 * 1024;
/** Names of left-out files that are told. */
const MAX_SKIPPED = 100;

/**
 * An upload under way: its files are written into a hidden folder beside the corpora as they come, and get their place, as
 * text, with {@link publish} in one step. Whoever begins one ends it with `publish` or `discard`.
 */
export class StagedUpload {
  readonly #dataDirectory: string;
  readonly #id: string;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #received: { readonly part: UploadPart; readonly file: ReceivedFile }[] = [];
  readonly #skipped: string[] = [];
  #receivedBytes = 0;
  #textBytes = 0;

  private constructor(dataDirectory: string, maxBytes: number) {
    this.#dataDirectory = dataDirectory;
    this.#maxBytes = maxBytes;
    this.#id = newCorpusId();
    this.#folder = join(storedCorporaFolder(dataDirectory), `.upload-${this.#id}`);
  }

  /** @param maxBytes most bytes of all files together, and of the text in them */
  static async begin(dataDirectory: string, maxBytes: number): Promise<StagedUpload> {
    await removeAbandonedUploads(storedCorporaFolder(dataDirectory));
    const upload = new StagedUpload(dataDirectory, maxBytes);
    await mkdir(upload.#folder, { recursive: true });
    return upload;
  }

  /**
   * Takes one file of the upload, as it comes: the text of a split, or one of the files of the whole text.
   * @param name as the client calls it; its ending says what it is (.zip, .jsonl, .csv, .tsv, else text)
   * @throws body-too-large, bad-request when the file of a split came before, out-of-disk, write-failed
   */
  async receive(part: UploadPart, source: ByteSource, name = `${part}.txt`): Promise<void> {
    if (part !== 'whole' && this.#received.some((other) => other.part === part))
      throw appError('bad-request', { reason: `The file "${part}" was sent twice; a split has one file` });
    const path = join(this.#folder, `received-${this.#received.length}`);
    const file = await HashedFile.create(path);
    try {
      for await (const chunk of source) {
        this.#receivedBytes += chunk.length;
        if (this.#receivedBytes > this.#maxBytes) throw appError('body-too-large', { limit: this.#maxBytes });
        await file.write(chunk);
      }
      this.#received.push({ part, file: { path, name } });
    } finally {
      await file.close();
    }
  }

  /**
   * Reads, cuts, counts and stores what came.
   * @throws bad-request when files are missing or are not what their names say, corpus-not-text, corpus-too-short, corpus-exists
   */
  async publish(input: CorpusUploadInput): Promise<StoredCorpusManifest> {
    const fields = CorpusUpload.parse(input);
    const isWhole = this.#received.some(({ part }) => part === 'whole');
    const { files, documents } = isWhole ? await this.#storeWhole(fields) : await this.#storeSplits(fields);
    const defaultPreTokenizer = fields.tokenized ? 'whitespace' : 'lossless';
    const paths = mapSplits((split) => this.#path(split));
    const { visible, ...measured } = await measureTextFiles(paths, defaultPreTokenizer);
    for (const split of SPLIT_NAMES) {
      const why = ' in each split, with characters as tokens';
      if (visible[split] < 2)
        throw appError('corpus-too-short', { split, tokens: visible[split], least: 2, why });
    }
    const manifest: StoredCorpusManifest = {
      version: 2,
      id: this.#id,
      name: fields.name,
      createdAt: new Date().toISOString(),
      splitBy: isWhole ? fields.splitBy : 'files',
      defaultPreTokenizer,
      documents,
      skippedFiles: this.#skipped,
      files,
      ...measured,
      digest: corpusDigest(mapSplits((split) => files[split].sha256)),
    };
    const file = await HashedFile.create(join(this.#folder, CORPUS_MANIFEST));
    await file.write(Buffer.from(JSON.stringify(manifest, null, 2)));
    await file.finish();
    await file.close();
    await Promise.all(this.#received.map((received) => rm(received.file.path)));
    publishCorpus(this.#dataDirectory, this.#folder, manifest);
    return manifest;
  }

  /** Removes what came; nothing happens when it is published. */
  async discard(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #path(part: UploadPart): string {
    return join(this.#folder, `${part}.txt`);
  }

  async #storeSplits(fields: CorpusUpload) {
    const files: Partial<Record<SplitName, WrittenFile>> = {};
    let documents = 0;
    for (const split of SPLIT_NAMES) {
      const received = this.#received.find(({ part }) => part === split);
      if (!received) {
        const came = this.#received.map(({ part }) => part).join(', ') || 'none';
        throw appError('bad-request', {
          reason: `A corpus needs one or more files "file", or the three files "train", "valid" and "test"; came: ${came}`,
        });
      }
      const text = await this.#writeText(split, [received.file], fields);
      files[split] = text.file;
      documents += text.documentEnds.length;
    }
    return { files: files as PerSplit<WrittenFile>, documents };
  }

  async #storeWhole(fields: CorpusUpload) {
    if (this.#received.some(({ part }) => part !== 'whole')) {
      throw appError('bad-request', {
        reason: 'Send one whole text, or the files of the three splits, not both',
      });
    }
    const { validFraction: valid, testFraction: test, splitBy, splitSeed } = fields;
    if (valid + test >= 1)
      throw appError('bad-request', { reason: 'validFraction + testFraction must be less than 1' });
    const sources = this.#received.map(({ file }) => file);
    const { file, documentEnds } = await this.#writeText('whole', sources, fields);
    const whole = await open(this.#path('whole'), 'r');
    try {
      const read = (start: number, length: number) => readRange(whole, start, length);
      const text = { bytes: file.bytes, documentEnds, read };
      const ranges =
        splitBy === 'tail'
          ? await cutTail(text, { valid, test })
          : await cutBlocks(text, { valid, test }, splitSeed);
      const files = {
        train: await this.#copyRanges('train', ranges, read),
        valid: await this.#copyRanges('valid', ranges, read),
        test: await this.#copyRanges('test', ranges, read),
      };
      return { files, documents: documentEnds.length };
    } finally {
      await whole.close();
      await rm(this.#path('whole'));
    }
  }

  /** The text of some files, one document after another; of several, each ends with a line end. */
  async #writeText(
    part: UploadPart,
    sources: readonly ReceivedFile[],
    { textField, textColumn }: CorpusUpload,
  ): Promise<{ file: WrittenFile; documentEnds: number[] }> {
    const file = await HashedFile.create(this.#path(part));
    const documentEnds: number[] = [];
    const onSkipped = (name: string) => {
      if (this.#skipped.length < MAX_SKIPPED) this.#skipped.push(name);
    };
    const options = { textField, textColumn, maxBytes: this.#maxBytes, onSkipped };
    const isSeveral = sources.length > 1 || sources.some(({ name }) => !isPlainText(name, options));
    let endsLine = true;
    try {
      for (const source of sources) {
        for await (const { text, endsDocument } of readDocuments(source, options)) {
          if (text !== '') endsLine = text.endsWith('\n');
          const closes = endsDocument && isSeveral && !endsLine;
          await this.#append(file, closes ? `${text}\n` : text);
          if (closes) endsLine = true;
          if (endsDocument && file.bytes > (documentEnds.at(-1) ?? 0)) documentEnds.push(file.bytes);
        }
      }
      return { file: await file.finish(), documentEnds };
    } finally {
      await file.close();
    }
  }

  async #append(file: HashedFile, text: string): Promise<void> {
    const bytes = Buffer.from(text, 'utf8');
    this.#textBytes += bytes.length;
    if (this.#textBytes > this.#maxBytes) throw appError('body-too-large', { limit: this.#maxBytes });
    await file.write(bytes);
  }

  async #copyRanges(
    split: SplitName,
    ranges: readonly SplitRange[],
    read: (start: number, length: number) => Promise<Uint8Array>,
  ): Promise<WrittenFile> {
    const file = await HashedFile.create(this.#path(split));
    try {
      for (const range of ranges.filter((other) => other.split === split)) {
        for (let at = range.start; at < range.end; at += COPY_BYTES)
          await file.write(await read(at, Math.min(COPY_BYTES, range.end - at)));
      }
      return await file.finish();
    } finally {
      await file.close();
    }
  }
}

async function readRange(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
  return buffer.subarray(0, bytesRead);
}

/** Removes all uploads and deletions that were cut short. To be called while nobody else uploads: when a server starts. */
export function removeStagedUploads(dataDirectory: string): void {
  const folder = storedCorporaFolder(dataDirectory);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (STAGED.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Uploads that another process which is gone left behind. */
async function removeAbandonedUploads(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((entry) => STAGED.test(entry))) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}
