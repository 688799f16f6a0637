import type { TokenizerConfig } from '../contracts/corpus.js';
import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { BYTE_CHARACTERS, readSpelledBytes } from './byte-alphabet.js';
import { IdList } from './id-list.js';
import { lowerCaseByteMap, toLowerCase } from './lower-case.js';
import { isWhiteSpace } from './segmenter.js';
import {
  assertWellFormed,
  decodeAll,
  type EncodedText,
  type StreamingDecoder,
  type Tokenizer,
} from './tokenizer.js';
import type { Vocabulary } from './vocabulary.js';

/** Bytes of a character of UTF-8 that may be missing its last one. */
const MAX_OPEN_BYTES = 3;

/**
 * A tokenizer whose tokens are bytes and sequences of bytes: any text is known, and comes back as it was. It cuts text into
 * pieces by a pattern that every character matches; what a piece becomes is the matter of those who extend it.
 */
export abstract class ByteLevelTokenizer implements Tokenizer {
  abstract readonly type: TokenizerConfig['type'];
  readonly keepsSpacing = true;
  readonly lowercase: boolean;
  readonly vocabulary: Vocabulary;
  readonly #pattern: RegExp;
  readonly #bytes: readonly Uint8Array[];

  /**
   * @param fields.vocabulary tokens in GPT-2's byte alphabet, all 256 bytes among them
   * @param fields.pattern with the flags g and u; a piece ends before white space that follows something else
   */
  constructor(fields: { lowercase: boolean; vocabulary: Vocabulary; pattern: RegExp }) {
    this.lowercase = fields.lowercase;
    this.vocabulary = fields.vocabulary;
    this.#pattern = fields.pattern;
    this.#bytes = fields.vocabulary.tokens.map((token) => readSpelledBytes(token)!);
  }

  /** @returns ids whose bytes are those of the piece; not to be written to */
  protected abstract encodePiece(piece: string): Int32Array;

  abstract toJSON(): TokenizerJson;

  encode(text: string): Int32Array {
    assertWellFormed(text);
    const ids = new IdList(text.length >> 2);
    forEachPiece(this.#pattern, this.lowercase ? toLowerCase(text) : text, (piece) =>
      ids.pushAll(this.encodePiece(piece)),
    );
    return ids.take();
  }

  encodeWithOffsets(text: string): EncodedText {
    assertWellFormed(text);
    const [ids, starts, ends] = [new IdList(), new IdList(), new IdList()];
    const source = this.lowercase ? lowerCaseByteMap(text) : null;
    let at = 0;
    forEachPiece(this.#pattern, this.lowercase ? toLowerCase(text) : text, (piece) => {
      for (const id of this.encodePiece(piece)) {
        const end = at + this.#bytes[id]!.length;
        ids.push(id);
        starts.push(source ? source.starts[at]! : at);
        ends.push(source ? source.ends[end - 1]! : end);
        at = end;
      }
    });
    return { ids: ids.take(), starts: starts.take(), ends: ends.take() };
  }

  /** Before the last white space that follows something else: no piece goes over such a place. */
  safeCut(text: string): number {
    for (let at = text.length - 1; at > 0; at--) {
      if (isWhiteSpace(text.charCodeAt(at)) && !isWhiteSpace(text.charCodeAt(at - 1))) return at;
    }
    return 0;
  }

  decode(ids: ArrayLike<number>): string {
    return decodeAll(this, ids);
  }

  createDecoder(): StreamingDecoder {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    /** The last bytes: a character that is not whole yet has begun among them. */
    let last = new Uint8Array();
    const bytesOf = (id: number) => {
      this.vocabulary.token(id); // throws for one that is none
      return this.#bytes[id]!;
    };
    return {
      push: (id) => {
        const bytes = bytesOf(id);
        last = Uint8Array.from([...last, ...bytes.slice(-MAX_OPEN_BYTES)]).slice(-MAX_OPEN_BYTES);
        return decoder.decode(bytes, { stream: true });
      },
      peek: (id) => {
        const other = new TextDecoder('utf-8', { ignoreBOM: true });
        other.decode(last, { stream: true });
        return other.decode(bytesOf(id), { stream: true });
      },
      end: () => decoder.decode(),
    };
  }
}

/** Ids of the 256 bytes in a vocabulary that has them all. */
export function byteIdsOf(vocabulary: Vocabulary): Int32Array {
  return Int32Array.from(BYTE_CHARACTERS, (character) => vocabulary.ids.get(character)!);
}

/** The token of the byte 0x0A, which ends a line. */
export const BYTE_LEVEL_LINE_FEED = BYTE_CHARACTERS[0x0a]!;

export function forEachPiece(pattern: RegExp, text: string, visit: (piece: string) => void): void {
  for (const [piece] of text.matchAll(pattern)) visit(piece);
}
