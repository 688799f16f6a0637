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

/** Maximum bytes of an incomplete UTF-8 character. */
const MAX_OPEN_BYTES = 3;

/**
 * A tokenizer whose tokens are byte sequences: any text can be encoded, and decodes to itself. It splits text into pieces by a
 * pattern that matches every character; subclasses encode the pieces.
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
   * @param fields.pattern with the flags g and u; a piece ends before white space that follows another character
   */
  constructor(fields: { lowercase: boolean; vocabulary: Vocabulary; pattern: RegExp }) {
    this.lowercase = fields.lowercase;
    this.vocabulary = fields.vocabulary;
    this.#pattern = fields.pattern;
    this.#bytes = fields.vocabulary.tokens.map((token) => readSpelledBytes(token)!);
  }

  /** @returns ids whose bytes are those of the piece; read-only */
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

  /** Before the last white space that follows another character: no piece spans such a position. */
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
    /** The last bytes; an incomplete character starts among them. */
    let last = new Uint8Array();
    const bytesOf = (id: number) => {
      this.vocabulary.token(id); // throws for an unknown id
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

/** Ids of the 256 bytes in a vocabulary that contains all of them. */
export function byteIdsOf(vocabulary: Vocabulary): Int32Array {
  return Int32Array.from(BYTE_CHARACTERS, (character) => vocabulary.ids.get(character)!);
}

/** The token of the byte 0x0A, which ends a line. */
export const BYTE_LEVEL_LINE_FEED = BYTE_CHARACTERS[0x0a]!;

export function forEachPiece(pattern: RegExp, text: string, visit: (piece: string) => void): void {
  for (const [piece] of text.matchAll(pattern)) visit(piece);
}
