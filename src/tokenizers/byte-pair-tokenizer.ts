import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { BYTE_CHARACTERS, readSpelledBytes, spellBytes } from './byte-alphabet.js';
import { BytePairMerger, type RankedMerge } from './byte-pair-merger.js';
import { BYTE_IDS, learnMerges, type Merge } from './byte-pair-training.js';
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
import { bytePairTokenizerJson } from './tokenizer-json-format.js';
import { Vocabulary } from './vocabulary.js';

/**
 * GPT-2's cut before byte pairs (Radford et al. 2019): contractions, words and numbers and other runs with the space
 * before them, white space. Every character of the text is in exactly one piece.
 */
const PIECE =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Byte-level byte pairs: any text is known, and comes back as it was. The line feed is a token of its own. */
export class BytePairTokenizer implements Tokenizer {
  readonly type = 'byte-pair';
  readonly lowercase: boolean;
  readonly vocabulary: Vocabulary;
  /** In the order of learning. */
  readonly merges: readonly RankedMerge[];
  readonly #merger: BytePairMerger;
  readonly #bytes: readonly Uint8Array[];

  /** @param fields.vocabulary tokens in GPT-2's byte alphabet, all 256 bytes among them */
  constructor(fields: { lowercase: boolean; vocabulary: Vocabulary; merges: readonly RankedMerge[] }) {
    this.lowercase = fields.lowercase;
    this.vocabulary = fields.vocabulary;
    this.merges = fields.merges;
    const byteIds = Int32Array.from(BYTE_CHARACTERS, (character) => fields.vocabulary.ids.get(character)!);
    this.#merger = new BytePairMerger(byteIds, fields.merges);
    this.#bytes = fields.vocabulary.tokens.map((token) => readSpelledBytes(token)!);
  }

  encode(text: string): Int32Array {
    assertWellFormed(text);
    const ids = new IdList(text.length >> 2);
    forEachPiece(this.lowercase ? toLowerCase(text) : text, (piece) =>
      ids.pushAll(this.#merger.merge(piece)),
    );
    return ids.take();
  }

  encodeWithOffsets(text: string): EncodedText {
    assertWellFormed(text);
    const [ids, starts, ends] = [new IdList(), new IdList(), new IdList()];
    const source = this.lowercase ? lowerCaseByteMap(text) : null;
    let at = 0;
    forEachPiece(this.lowercase ? toLowerCase(text) : text, (piece) => {
      for (const id of this.#merger.merge(piece)) {
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
    return {
      push: (id) => {
        this.vocabulary.token(id);
        return decoder.decode(this.#bytes[id], { stream: true });
      },
      end: () => decoder.decode(),
    };
  }

  toJSON(): TokenizerJson {
    return bytePairTokenizerJson(this.lowercase, this.vocabulary, this.merges);
  }
}

/** Learns byte pairs from a train split. */
export function trainBytePairTokenizer(
  text: string,
  config: { readonly vocabularySize: number; readonly minCount: number; readonly lowercase: boolean },
): BytePairTokenizer {
  assertWellFormed(text);
  const pieces = new Map<string, number>();
  forEachPiece(config.lowercase ? toLowerCase(text) : text, (piece) => {
    pieces.set(piece, (pieces.get(piece) ?? 0) + 1);
  });
  const { merges, counts } = learnMerges(pieces, config);
  const tokens = spellTokens(merges);
  return new BytePairTokenizer({
    lowercase: config.lowercase,
    vocabulary: new Vocabulary({ tokens, counts, unknownToken: null, eosToken: BYTE_PAIR_LINE_FEED }),
    merges: merges.map((merge, rank) => ({ ...merge, rank, id: 256 + rank })),
  });
}

/** The token of the byte 0x0A. */
export const BYTE_PAIR_LINE_FEED = BYTE_CHARACTERS[0x0a]!;

function spellTokens(merges: readonly Merge[]): string[] {
  const tokens: string[] = [];
  BYTE_IDS.forEach((id, byte) => {
    tokens[id] = spellBytes(Uint8Array.of(byte));
  });
  for (const { left, right } of merges) tokens.push(tokens[left]! + tokens[right]!);
  return tokens;
}

function forEachPiece(text: string, visit: (piece: string) => void): void {
  PIECE.lastIndex = 0;
  for (const [piece] of text.matchAll(PIECE)) visit(piece);
}
