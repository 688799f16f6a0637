import { appError } from '../errors.js';

/** The token for words that are not in the vocabulary. */
export const UNKNOWN_TOKEN = '<unk>';
/** The token of the word tokenizer for the end of a line. */
export const END_OF_LINE_TOKEN = '<eos>';

/** The tokens of a tokenizer and their ids, 0 … size − 1. */
export class Vocabulary {
  /** Token by id. Byte-pair tokens are in GPT-2's byte alphabet (`Ġ` for a space), as in tokenizer.json. */
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  /** Frequency of each token in the train split; null when read from a file, which does not contain it. */
  readonly counts: Int32Array | null;
  /** Id of `<unk>`; null if any text can be encoded (byte-pair). */
  readonly unknownId: number | null;
  /** Id of the token that ends a line: `<eos>` of words, the line feed of characters and byte pairs. */
  readonly eosId: number;

  constructor(fields: {
    tokens: readonly string[];
    counts: Int32Array | null;
    unknownToken: string | null;
    eosToken: string;
  }) {
    this.tokens = fields.tokens;
    this.ids = new Map(fields.tokens.map((token, id) => [token, id]));
    this.counts = fields.counts;
    this.unknownId = fields.unknownToken === null ? null : this.#require(fields.unknownToken);
    this.eosId = this.#require(fields.eosToken);
    if (this.ids.size !== fields.tokens.length) {
      throw appError('tokenizer-invalid', {
        file: 'tokenizer.json',
        reason: 'a token appears twice in the vocabulary',
      });
    }
  }

  get size(): number {
    return this.tokens.length;
  }

  /** @throws token-id-out-of-range */
  token(id: number): string {
    const token = this.tokens[id];
    if (token === undefined) throw appError('token-id-out-of-range', { id, size: this.size });
    return token;
  }

  #require(token: string): number {
    const id = this.ids.get(token);
    if (id === undefined)
      throw appError('tokenizer-invalid', {
        file: 'tokenizer.json',
        reason: `the vocabulary lacks "${token}"`,
      });
    return id;
  }
}
