/** The documents in the files of an upload: a text is one, a .jsonl has one a line, a .csv one a row, a .zip one a file. */
import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, parse as parseCsv } from 'csv-parse';
import yauzl from 'yauzl';
import type { CorpusUpload } from '../contracts/corpus.js';
import { AppError, appError } from '../errors.js';
import { UploadTextReader } from './upload-text.js';

/** A file of an upload as it lies on the disk. */
export interface ReceivedFile {
  readonly path: string;
  /** As the client names it; its ending says how it is read. */
  readonly name: string;
}

/** A piece of a document; documents come one after another. */
export interface DocumentPiece {
  readonly text: string;
  readonly endsDocument: boolean;
}

export interface DocumentOptions extends Pick<CorpusUpload, 'textField' | 'textColumn'> {
  /** Most bytes that an archive may grow to. */
  readonly maxBytes: number;
  /** Told of a file in an archive that is no text and was left out. */
  readonly onSkipped: (name: string) => void;
}

/**
 * The documents of a file.
 * @throws corpus-not-text, bad-request for a file that is not what its name says, body-too-large
 */
export async function* readDocuments(
  { path, name }: ReceivedFile,
  options: DocumentOptions,
): AsyncGenerator<DocumentPiece> {
  if (kindOf(name, options.textColumn) === 'zip') yield* readArchive(path, name, options);
  else yield* readFileDocuments(createReadStream(path), name, options);
}

/** Whether a file is one document, as it is. */
export function isPlainText(name: string, { textColumn }: Pick<DocumentOptions, 'textColumn'>): boolean {
  return kindOf(name, textColumn) === 'text';
}

function kindOf(name: string, textColumn: string | undefined): 'zip' | 'lines' | 'table' | 'text' {
  switch (extname(name).toLowerCase()) {
    case '.zip':
      return 'zip';
    case '.jsonl':
    case '.ndjson':
      return 'lines';
    case '.csv':
    case '.tsv':
      return textColumn === undefined ? 'text' : 'table';
    default:
      return 'text';
  }
}

async function* readFileDocuments(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  { textField, textColumn }: DocumentOptions,
): AsyncGenerator<DocumentPiece> {
  const pieces = readPieces(bytes);
  const kind = kindOf(name, textColumn);
  if (kind === 'lines') yield* readJsonLines(pieces, name, textField);
  else if (kind === 'table') yield* readTable(pieces, name, textColumn!);
  else {
    for await (const text of pieces) yield { text, endsDocument: false };
    yield { text: '', endsDocument: true };
  }
}

async function* readPieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const reader = new UploadTextReader();
  for await (const chunk of bytes) yield reader.push(chunk);
  yield reader.end();
}

async function* readJsonLines(
  pieces: AsyncIterable<string>,
  name: string,
  field: string,
): AsyncGenerator<DocumentPiece> {
  let line = 0;
  let held = '';
  const read = function* (lines: readonly string[]): Generator<DocumentPiece> {
    for (const json of lines) {
      line++;
      if (json.trim() !== '')
        yield { text: textOfRow(json, field, `${name}, line ${line}`), endsDocument: true };
    }
  };
  for await (const piece of pieces) {
    const lines = (held + piece).split('\n');
    held = lines.pop()!;
    yield* read(lines);
  }
  yield* read([held]);
}

function textOfRow(json: string, field: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw appError('bad-request', { reason: `${where} is not JSON: ${(cause as Error).message}` }, cause);
  }
  const text = typeof value === 'string' ? value : fieldOf(value, field);
  if (typeof text === 'string') return checked(text, where);
  const fields =
    typeof value === 'object' && value !== null ? Object.keys(value).slice(0, 20).join(', ') : 'none';
  throw appError('bad-request', {
    reason: `${where} has no text in the field "${field}"; textField names it. Fields there: ${fields}`,
  });
}

/** The field of this very name, or, by the dots of the name, the field within a field. */
function fieldOf(row: unknown, name: string): unknown {
  const own = ownField(row, name);
  return own === undefined ? name.split('.').reduce(ownField, row) : own;
}

function ownField(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

/** JSON can say what UTF-8 cannot; line ends are those of a text that is read as it is. */
function checked(text: string, where: string): string {
  if (!/\0|\p{Surrogate}/u.test(text)) return text.replace(/\r(?!\n)/g, '\n');
  throw appError('bad-request', { reason: `${where} has a lone surrogate or a NUL in its text` });
}

async function* readTable(
  pieces: AsyncIterable<string>,
  name: string,
  column: string,
): AsyncGenerator<DocumentPiece> {
  const delimiter = name.toLowerCase().endsWith('.tsv') ? '\t' : ',';
  let columns: readonly string[] = [];
  const parser = parseCsv({
    delimiter,
    columns: (first: string[]) => (columns = first),
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const source = Readable.from(pieces, { objectMode: false });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let rows = 0;
  try {
    for await (const row of parser as AsyncIterable<Record<string, string>>) {
      rows++;
      if (!Object.hasOwn(row, column)) throw missingCell(name, column, columns, rows);
      yield { text: row[column]!, endsDocument: true };
    }
  } catch (error) {
    throw error instanceof CsvError
      ? appError('bad-request', { reason: `${name} is not a table: ${error.message}` }, error)
      : error;
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** A table without the column, or a row that ends before it. */
function missingCell(name: string, column: string, columns: readonly string[], row: number) {
  const reason = columns.includes(column)
    ? `${name}, row ${row} after the first line, ends before the column "${column}"`
    : `${name} has no column "${column}"; the first line has: ${columns.slice(0, 20).join(', ')}`;
  return appError('bad-request', { reason });
}

/** Files of an archive in the order of their paths; what is hidden, or no text, is left out. */
async function* readArchive(
  path: string,
  name: string,
  options: DocumentOptions,
): AsyncGenerator<DocumentPiece> {
  const archive = await yauzl.openPromise(path, { autoClose: false }).catch((cause) => {
    throw notArchive(name, cause);
  });
  try {
    const entries = await textEntries(archive, name, options);
    for (const entry of entries) {
      const bytes = await archive.openReadStreamPromise(entry);
      try {
        yield* await readWhole(bytes, entry.fileName, options);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'corpus-not-text')
          throw asArchiveError(name, error);
        options.onSkipped(entry.fileName);
      }
    }
  } finally {
    archive.close();
  }
}

async function textEntries(
  archive: yauzl.ZipFile,
  name: string,
  options: DocumentOptions,
): Promise<yauzl.Entry[]> {
  const entries: yauzl.Entry[] = [];
  let bytes = 0;
  try {
    for await (const entry of archive.eachEntry()) {
      const isHidden = entry.fileName.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');
      if (entry.fileName.endsWith('/') || isHidden) continue;
      bytes += entry.uncompressedSize; // checked against what comes out
      if (bytes > options.maxBytes) throw appError('body-too-large', { limit: options.maxBytes });
      if (entries.push(entry) > MAX_ENTRIES)
        throw appError('bad-request', { reason: `${name} has more than ${MAX_ENTRIES} files` });
    }
  } catch (error) {
    throw asArchiveError(name, error);
  }
  return entries.sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
}

const MAX_ENTRIES = 100_000;

/** All pieces of a file before the first is given away: a file that turns out to be no text leaves nothing behind. */
async function readWhole(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  options: DocumentOptions,
): Promise<DocumentPiece[]> {
  const pieces: DocumentPiece[] = [];
  for await (const piece of readFileDocuments(bytes, name, options)) pieces.push(piece);
  return pieces;
}

function asArchiveError(name: string, error: unknown): unknown {
  return error instanceof AppError ? error : notArchive(name, error);
}

function notArchive(name: string, cause: unknown) {
  return appError(
    'bad-request',
    { reason: `${name} is not a .zip that can be read: ${(cause as Error).message}` },
    cause,
  );
}
