import { appError } from '../errors.js';
import { binaryFormat, FORMAT_BYTES } from './binary-formats.js';
import { TextReader } from './text-bytes.js';

/**
 * Reads the bytes of a text that somebody sends: UTF-8, or UTF-16 with a byte-order mark (as Windows' editors save it). The
 * mark is left out; a carriage return that no line feed follows is read as a line end, as old Macintosh files have them.
 */
export class UploadTextReader {
  /** The first bytes, until there are enough to tell the encoding. */
  #beginning: Uint8Array | null = new Uint8Array(0);
  #reader: Decoder = new TextReader();
  readonly #lines = new LineEnds();

  /** @throws corpus-not-text */
  push(chunk: Uint8Array): string {
    if (this.#beginning === null) return this.#lines.push(this.#reader.push(chunk));
    this.#beginning = Buffer.concat([this.#beginning, chunk]);
    return this.#beginning.length < FORMAT_BYTES ? '' : this.#begin(this.#beginning);
  }

  /** @throws corpus-not-text */
  end(): string {
    const rest = this.#beginning === null ? '' : this.#begin(this.#beginning);
    return rest + this.#lines.push(this.#reader.end()) + this.#lines.end();
  }

  #begin(bytes: Uint8Array): string {
    this.#beginning = null;
    const format = binaryFormat(bytes);
    if (format) throw appError('corpus-not-text', { reason: `${format}:`, offset: 0 });
    const [first, second] = bytes;
    if (first === 0xff && second === 0xfe) this.#reader = new Utf16Reader('little');
    if (first === 0xfe && second === 0xff) this.#reader = new Utf16Reader('big');
    return this.#lines.push(this.#reader.push(bytes));
  }
}

interface Decoder {
  push(chunk: Uint8Array): string;
  end(): string;
}

/** UTF-16 in chunks of any size, checked as UTF-8 is: no NUL, no lone surrogate. */
class Utf16Reader implements Decoder {
  readonly #order: 'little' | 'big';
  /** Bytes at the end of the last chunk that are no whole character. */
  #held: Uint8Array = new Uint8Array(0);
  /** Bytes before those. */
  #offset = 0;

  constructor(order: 'little' | 'big') {
    this.#order = order;
  }

  push(chunk: Uint8Array): string {
    const bytes = Buffer.concat([this.#held, chunk]);
    const units = this.#decode(bytes.subarray(0, bytes.length - (bytes.length % 2)));
    const endsInPair = /[\ud800-\udbff]$/.test(units);
    const text = endsInPair ? units.slice(0, -1) : units;
    const read = text.length * 2;
    const isBeginning = this.#offset === 0;
    this.#check(text);
    this.#held = bytes.subarray(read);
    this.#offset += read;
    return isBeginning && text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  end(): string {
    if (this.#held.length > 0)
      throw appError('corpus-not-text', { reason: 'half a character of UTF-16', offset: this.#offset });
    return '';
  }

  #decode(bytes: Buffer): string {
    return this.#order === 'little'
      ? bytes.toString('utf16le')
      : Buffer.from(bytes).swap16().toString('utf16le');
  }

  #check(text: string): void {
    const bad = text.search(/\0|\p{Surrogate}/u);
    if (bad < 0) return;
    const reason =
      text[bad] === '\0' ? 'a NUL character, so this is a binary file,' : 'a lone surrogate of UTF-16';
    throw appError('corpus-not-text', { reason, offset: this.#offset + 2 * bad });
  }
}

/** CR → LF, where it stands alone; text in pieces of any size. */
class LineEnds {
  #heldReturn = '';

  push(piece: string): string {
    const text = this.#heldReturn + piece;
    this.#heldReturn = text.endsWith('\r') ? '\r' : '';
    return text.slice(0, text.length - this.#heldReturn.length).replace(/\r(?!\n)/g, '\n');
  }

  end(): string {
    return this.#heldReturn === '' ? '' : '\n';
  }
}
