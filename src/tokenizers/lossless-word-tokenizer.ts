import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { appError } from '../errors.js';
import { BYTE_CHARACTERS, BYTE_ORDER, spellBytes } from './byte-alphabet.js';
import { BYTE_LEVEL_LINE_FEED, ByteLevelTokenizer, byteIdsOf, forEachPiece } from './byte-level-tokenizer.js';
import { toLowerCase } from './lower-case.js';
import { losslessWordTokenizerJson } from './tokenizer-json-format.js';
import { Vocabulary } from './vocabulary.js';
import { LOSSLESS_PATTERN } from './word-patterns.js';

const PIECE = new RegExp(LOSSLESS_PATTERN, 'gu');

/**
 * Words that reproduce the text exactly: each with the preceding space, other white space and punctuation as separate words,
 * see {@link LOSSLESS_PATTERN}. A word that is not in the vocabulary is encoded as bytes, which are tokens too: nothing is
 * unknown, and the model learns to spell.
 */
export class LosslessWordTokenizer extends ByteLevelTokenizer {
  readonly type = 'word';
  readonly #byteIds: Int32Array;
  /** Ids of the pieces that are tokens, cached as arrays: a text has few distinct words. */
  readonly #words = new Map<string, Int32Array>();

  constructor(fields: { lowercase: boolean; vocabulary: Vocabulary }) {
    super({ ...fields, pattern: PIECE });
    this.#byteIds = byteIdsOf(fields.vocabulary);
  }

  protected encodePiece(piece: string): Int32Array {
    const known = this.#words.get(piece);
    if (known) return known;
    const bytes = Buffer.from(piece, 'utf8');
    const word = this.vocabulary.ids.get(spellBytes(bytes));
    if (word === undefined) return Int32Array.from(bytes, (byte) => this.#byteIds[byte]!);
    const ids = Int32Array.of(word);
    this.#words.set(piece, ids);
    return ids;
  }

  toJSON(): TokenizerJson {
    return losslessWordTokenizerJson(this.lowercase, this.vocabulary);
  }
}

/** The frequency of each lossless word in a text. @param counts of the preceding text, to be continued */
export function countLosslessWords(
  text: string,
  lowercase: boolean,
  counts = new Map<string, number>(),
): Map<string, number> {
  forEachPiece(PIECE, lowercase ? toLowerCase(text) : text, (piece) => {
    counts.set(piece, (counts.get(piece) ?? 0) + 1);
  });
  return counts;
}

/**
 * The vocabulary of a train split: the 256 bytes, then the most frequent words in order of first appearance.
 * @param pieces as returned by {@link countLosslessWords}
 * @param limits.vocabularySize maximum number of tokens, including the bytes; null = no limit
 * @param limits.minCount rarer words are encoded as bytes
 * @throws config-conflict when there is no room for the bytes
 */
export function chooseLosslessVocabulary(
  pieces: ReadonlyMap<string, number>,
  { vocabularySize, minCount }: { readonly vocabularySize: number | null; readonly minCount: number },
): Vocabulary {
  const room = (vocabularySize ?? Number.POSITIVE_INFINITY) - 256;
  if (room < 0) {
    throw appError('config-conflict', {
      field: 'tokenizer.vocabularySize',
      reason: `lossless words need at least 256, one for each byte, got ${vocabularySize}; preTokenizer "prose" or "whitespace" needs fewer`,
    });
  }
  const isWord = (piece: string) => piece.length > 1 || piece > '\x7f'; // otherwise it is a byte
  const words = [...pieces].filter(([piece, count]) => count >= minCount && isWord(piece));
  const byFrequency = words.toSorted(([, a], [, b]) => b - a); // stable: the earlier one wins ties
  const kept = new Set(byFrequency.slice(0, room).map(([piece]) => piece));
  const ordered = words.filter(([piece]) => kept.has(piece));
  const tokens = [
    ...BYTE_ORDER.map((byte) => BYTE_CHARACTERS[byte]!),
    ...ordered.map(([piece]) => spellBytes(Buffer.from(piece, 'utf8'))),
  ];
  const counts = new Int32Array(tokens.length);
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => BYTE_ORDER.indexOf(byte));
  for (const [piece, count] of pieces)
    if (!kept.has(piece)) for (const byte of Buffer.from(piece, 'utf8')) counts[byteIds[byte]!]! += count;
  ordered.forEach(([, count], index) => {
    counts[256 + index] = count;
  });
  return new Vocabulary({ tokens, counts, unknownToken: null, eosToken: BYTE_LEVEL_LINE_FEED });
}

/** Default minCount: rarer words are encoded as bytes, so that the model learns to spell. */
export const LOSSLESS_MIN_COUNT = 2;
