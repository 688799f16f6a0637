import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { spellBytes } from './byte-alphabet.js';
import { BYTE_LEVEL_LINE_FEED, ByteLevelTokenizer, byteIdsOf, forEachPiece } from './byte-level-tokenizer.js';
import { BytePairMerger, type RankedMerge } from './byte-pair-merger.js';
import { BYTE_IDS, learnMerges, type Merge } from './byte-pair-training.js';
import { toLowerCase } from './lower-case.js';
import { assertWellFormed } from './tokenizer.js';
import { bytePairTokenizerJson } from './tokenizer-json-format.js';
import { Vocabulary } from './vocabulary.js';

/**
 * GPT-2's pre-tokenization (Radford et al. 2019): contractions; words, numbers and other runs with the preceding space;
 * white space. Each character of the text is in exactly one piece.
 */
const PIECE =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Byte-level byte-pair encoding. The line feed is a separate token. */
export class BytePairTokenizer extends ByteLevelTokenizer {
  readonly type = 'byte-pair';
  /** In training order. */
  readonly merges: readonly RankedMerge[];
  readonly #merger: BytePairMerger;

  constructor(fields: { lowercase: boolean; vocabulary: Vocabulary; merges: readonly RankedMerge[] }) {
    super({ ...fields, pattern: PIECE });
    this.merges = fields.merges;
    this.#merger = new BytePairMerger(byteIdsOf(fields.vocabulary), fields.merges);
  }

  protected encodePiece(piece: string): Int32Array {
    return this.#merger.merge(piece);
  }

  toJSON(): TokenizerJson {
    return bytePairTokenizerJson(this.lowercase, this.vocabulary, this.merges);
  }
}

/** Trains byte-pair merges on a train split. */
export function trainBytePairTokenizer(
  text: string,
  config: { readonly vocabularySize: number; readonly minCount: number; readonly lowercase: boolean },
): BytePairTokenizer {
  assertWellFormed(text);
  const pieces = new Map<string, number>();
  forEachPiece(PIECE, config.lowercase ? toLowerCase(text) : text, (piece) => {
    pieces.set(piece, (pieces.get(piece) ?? 0) + 1);
  });
  const { merges, counts } = learnMerges(pieces, config);
  const tokens = spellTokens(merges);
  return new BytePairTokenizer({
    lowercase: config.lowercase,
    vocabulary: new Vocabulary({ tokens, counts, unknownToken: null, eosToken: BYTE_LEVEL_LINE_FEED }),
    merges: merges.map((merge, rank) => ({ ...merge, rank, id: 256 + rank })),
  });
}

function spellTokens(merges: readonly Merge[]): string[] {
  const tokens: string[] = [];
  BYTE_IDS.forEach((id, byte) => {
    tokens[id] = spellBytes(Uint8Array.of(byte));
  });
  for (const { left, right } of merges) tokens.push(tokens[left]! + tokens[right]!);
  return tokens;
}
